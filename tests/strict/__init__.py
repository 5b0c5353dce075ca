# SPDX-License-Identifier: MIT
"""What may go to Google, and what may come back to a client of OpenAI's protocol, as strictly as it is known.

shape       names, JSON types, enums: the vendors' own descriptions, cut to what is needed (*-schemas.json, by trim.py)
google      rules of Google's that no description holds: names, pairs, signatures, empty parts, base64
generation  what the generation of a model refuses
chat        the order of a stream, the tool calls of an answer
judge       all of these, for one request that went upstream and for one answer

A fault is a text, `rule: where: what`. No fault: an empty list.
"""
