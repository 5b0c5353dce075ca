# SPDX-License-Identifier: MIT
"""Nothing lost: what of a client's request is not in the request that went upstream.

Texts, arguments, results, files, tools with their properties, the mode of calling, the schema of the answer and the limits
are looked for where Gemini reads them. What gemgated ignores knowingly (user, store, logit_bias, …) is not. A loss is a
text, `what: …`.
"""
import base64
import binascii
import json

from strict import google

STOPS_MAX = 5
MODES = {"none": "NONE", "auto": "AUTO", "required": "ANY"}
AUDIO = {"wav": "audio/wav", "mp3": "audio/mp3"}


# --- the two sides ---


def content_parts(message):
    """The parts of a message; a plain text is one."""
    content = message.get("content")
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return google.objects(content)


def texts_of(message):
    """The texts of a message that say something; a refusal is one."""
    found = [p.get("text", p.get("refusal")) for p in content_parts(message)] + [message.get("refusal")]
    return [t for t in found if isinstance(t, str) and t.strip()]


def tools_of(request):
    """(name, description, schema or None) of each declared tool, in order."""
    found = []
    for tool in google.objects(request.get("tools")):
        inner = tool.get(tool.get("type", "function"))
        if isinstance(inner, dict):
            found.append((inner["name"], inner.get("description"), inner.get("parameters")))
    return found + [(f["name"], f.get("description"), f.get("parameters")) for f in google.objects(request.get("functions"))]


def names_upstream(request, body):
    """The names that Gemini sees: the client's, or where it cannot bear one, that of the declaration in its place."""
    declared = [d.get("name") for d in google.declarations(body)]
    out = {}
    for i, (name, *_) in enumerate(tools_of(request)):
        out[name] = name if name in declared or i >= len(declared) else declared[i]
    return out


def calls_of(message):
    """(id, name, arguments) of the calls in an assistant's message."""
    for call in google.objects(message.get("tool_calls")):
        if "custom" in call:
            yield call.get("id"), call["custom"]["name"], {"input": call["custom"]["input"]}
        else:
            yield call.get("id"), call["function"]["name"], parsed(call["function"].get("arguments") or "{}")
    if message.get("function_call"):
        yield None, message["function_call"]["name"], parsed(message["function_call"].get("arguments") or "{}")


def parsed(text):
    try:
        return json.loads(text)
    except ValueError:
        return text


def members(body, name):
    return [google.member(p, name) for _, p in google.all_parts(body) if name in p]


def decoded(text):
    try:
        return base64.b64decode(text.translate(str.maketrans("-_", "+/")) + "==")
    except (ValueError, binascii.Error):
        return None


def strings(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for v in value.values() if isinstance(value, dict) else value:
            yield from strings(v)


# --- texts ---


def lost_texts(request, body):
    system = [p.get("text", "") for p in google.parts(google.member(body, "systemInstruction"))]
    plain = [p.get("text", "") for _, p in google.all_parts(body)]
    results = [t for r in members(body, "functionResponse") for t in strings(r)]
    for i, message in enumerate(google.objects(request.get("messages"))):
        role = message.get("role")
        if role in ("tool", "function"):
            continue
        where = system + plain if role in ("system", "developer") else plain
        for text in texts_of(message):
            if not any(text in t for t in where + results):
                yield f"text: messages[{i}]: {text[:80]!r}"


# --- calls and results ---


def lost_calls(request, body):
    names, there = names_upstream(request, body), members(body, "functionCall")
    for i, message in enumerate(google.objects(request.get("messages"))):
        for _, name, arguments in calls_of(message):
            same = [c for c in there if c.get("name") == names.get(name, name)]
            if not any(c.get("args", {}) == arguments for c in same):
                yield f"call: messages[{i}]: {name} {json.dumps(arguments)[:80]}"


def result_holds(response, text):
    """Whether a functionResponse has this result: as the object that it is, or in one of its texts."""
    value = parsed(text)
    return response == value or value in response.values() or any(text in t for t in strings(response))


def lost_results(request, body):
    names, there, known = names_upstream(request, body), members(body, "functionResponse"), {}
    plain = [p.get("text", "") for _, p in google.all_parts(body)]
    for i, message in enumerate(google.objects(request.get("messages"))):
        known |= {id_: name for id_, name, _ in calls_of(message)}
        if message.get("role") not in ("tool", "function"):
            continue
        id_ = message.get("tool_call_id")
        name = known.get(id_, message.get("name"))
        same = [r for r in there if r.get("name") == names.get(name, name) and r.get("id", id_) == id_]
        for text in texts_of(message):
            if not any(result_holds(google.member(r, "response"), text) for r in same) and \
                    (id_ in known or not any(text in t for t in plain)):
                yield f"result: messages[{i}]: {text[:80]!r}"


# --- files ---


def files_of(part):
    """(kind, what) of a content part: ("data", (type, bytes)) or ("uri", address)."""
    kind = part.get("type")
    if kind == "image_url":
        url = part["image_url"] if isinstance(part["image_url"], str) else part["image_url"]["url"]
    elif kind == "file" and "file_data" in part["file"]:
        url = part["file"]["file_data"]
    elif kind == "input_audio":
        audio = part["input_audio"]
        return [("data", (AUDIO.get(audio["format"]), decoded(audio["data"])))]
    else:
        return []
    if not url.startswith("data:"):
        return [("uri", url)]
    head, _, data = url.removeprefix("data:").partition(",")
    return [("data", (head.partition(";")[0], decoded(data)))]


def lost_files(request, body):
    blobs, uris = [], []
    for _, part in google.all_parts(body):
        for p in [part, *google.objects(google.member(part, "functionResponse").get("parts"))]:
            blob = google.member(p, "inlineData")
            blobs.append((blob.get("mimeType"), decoded(str(blob.get("data", "")))))
            uris.append(google.member(p, "fileData").get("fileUri"))
    for i, message in enumerate(google.objects(request.get("messages"))):
        for part in content_parts(message):
            for kind, what in files_of(part):
                if what not in (blobs if kind == "data" else uris):
                    yield f"file: messages[{i}]: {what if kind == 'uri' else what[0]}"


# --- tools ---


def nodes(schema):
    """Every schema in a schema, itself among them."""
    if not isinstance(schema, dict):
        return
    yield schema
    for key in ("properties", "$defs", "definitions", "patternProperties"):
        for s in google.member(schema, key).values():
            yield from nodes(s)
    for key in ("anyOf", "oneOf", "allOf", "prefixItems"):
        for s in google.member(schema, key, list):
            yield from nodes(s)
    for key in ("items", "additionalProperties", "not"):
        yield from nodes(schema.get(key))


def facts(schema):
    """What a schema demands, as a set: its properties, those that are required, the values of its enums."""
    out = set()
    for s in nodes(schema):
        out |= {("property", name) for name in google.member(s, "properties")}
        required = {r for r in google.member(s, "required", list) if r in google.member(s, "properties")}
        out |= {("required", name) for name in required}
        values = google.member(s, "enum", list) + ([s["const"]] if "const" in s else [])
        out |= {("value", str(v)) for v in values if v is not None}
    return out


def lost_tools(request, body):
    names, declared = names_upstream(request, body), {d.get("name"): d for d in google.declarations(body)}
    for name, description, schema in tools_of(request):
        there = declared.get(names[name])
        if there is None:
            yield f"tool: {name}"
            continue
        if description and description not in there.get("description", ""):
            yield f"tool: {name}: its description"
        for kind, what in sorted(facts(schema) - facts(there.get("parametersJsonSchema", there.get("parameters")))):
            yield f"tool: {name}: {kind} {what}"
    if "web_search_options" in request and not any("googleSearch" in t for t in google.objects(body.get("tools"))):
        yield "tool: web search"


def mode_of(request):
    """(the modes of Gemini's that fit, the names that may be called or None); None: nothing was asked for."""
    choice = request.get("tool_choice", request.get("function_call"))
    if choice is None or not tools_of(request):
        return None
    if isinstance(choice, str):
        mode = MODES[choice]
        return ({"AUTO", "VALIDATED"} if mode == "AUTO" else {mode}), None
    allowed = choice.get("allowed_tools")
    if allowed:
        inner = [t.get(t["type"], t)["name"] for t in allowed["tools"]]
        return ({"ANY"} if allowed.get("mode") == "required" else {"AUTO", "VALIDATED"}), inner
    return {"ANY"}, [choice.get(choice.get("type", ""), choice)["name"]]


def lost_mode(request, body):
    wanted = mode_of(request)
    if wanted is None:
        return
    modes, names = wanted
    mode, allowed = google.calling(body)
    if mode not in modes:
        yield f"mode: {mode} is none of {sorted(modes)}"
    upstream = names_upstream(request, body)
    if names is not None and sorted(allowed) != sorted(upstream.get(n, n) for n in names):
        yield f"mode: {allowed} instead of {names}"


# --- the form and the limits of the answer ---


def lost_format(request, body):
    wanted, config = request.get("response_format") or {}, google.member(body, "generationConfig")
    if wanted.get("type") not in ("json_object", "json_schema"):
        return
    schema = google.member(wanted, "json_schema").get("schema")
    there = config.get("responseJsonSchema", config.get("responseSchema"))
    if there is None and schema:  # by a function, where a model cannot do both
        for d in google.declarations(body):
            if d.get("name") not in names_upstream(request, body).values():
                there = d.get("parametersJsonSchema")
    elif config.get("responseMimeType") != "application/json":
        yield "format: responseMimeType"
    for kind, what in sorted(facts(schema) - facts(there)):
        yield f"format: {kind} {what}"


def limits_of(request):
    """(name in generationConfig, value)"""
    tokens = request.get("max_completion_tokens", request.get("max_tokens"))
    if tokens is not None and tokens > 0:
        yield "maxOutputTokens", tokens
    stop = request.get("stop")
    stops = [s for s in ([stop] if isinstance(stop, str) else stop or []) if s]
    if stops:
        yield "stopSequences", stops[:STOPS_MAX]
    if request.get("n", 1) != 1:
        yield "candidateCount", request["n"]
    if request.get("seed") is not None:
        yield "seed", request["seed"]
    if request.get("logprobs"):
        yield "responseLogprobs", True
    if request.get("top_logprobs"):
        yield "logprobs", request["top_logprobs"]


def lost_limits(request, body):
    config = google.member(body, "generationConfig")
    for name, value in limits_of(request):
        if config.get(name) != value:
            yield f"limit: {name} is {config.get(name)!r}, not {value!r}"
    given = google.member(request, "google").get("thinking_config") or request.get("reasoning_effort")
    if given and given != "none" and "thinkingConfig" not in config:
        yield f"limit: thinkingConfig for {given}"


def chat(request, body):
    """Of a chat request, in the body that went upstream for it."""
    body = google.camel(body)
    checks = (lost_texts, lost_calls, lost_results, lost_files, lost_tools, lost_mode, lost_format, lost_limits)
    return [loss for check in checks for loss in check(request, body)]


# --- embeddings ---


def embeddings(request, bodies):
    """Of an embeddings request, in the bodies that went upstream for it, in any order."""
    asked = [request["input"]] if isinstance(request["input"], str) else request["input"]
    contents = []
    for body in map(google.camel, bodies):
        contents += google.objects(body.get("requests")) or [body]
    there = ["".join(p.get("text", "") for p in google.parts(google.member(r, "content"))) for r in contents]
    out = [f"input: {text[:80]!r}" for text in asked if text not in there]
    if len(there) != len(asked):
        out.append(f"input: {len(there)} contents for {len(asked)} inputs")
    for r in contents:
        config = google.member(r, "embedContentConfig")
        if config.get("outputDimensionality", r.get("outputDimensionality")) != request.get("dimensions"):
            out.append("limit: outputDimensionality")
            break
    return out


# --- responses ---


def flat_tools(tools, space=""):
    """The declared tools in chat's form, those of a namespace by the name that Gemini gets."""
    for tool in google.objects(tools):
        if tool.get("type") == "namespace":
            yield from flat_tools(tool.get("tools"), tool["name"] + "__")
        elif tool.get("type") in ("function", "custom"):
            yield {"type": tool["type"], tool["type"]: {**tool, "name": space + tool["name"]}}


def chat_part(part):
    kind = part.get("type")
    if kind == "input_image":
        return {"type": "image_url", "image_url": part.get("image_url") or ""}
    if kind == "input_file":
        return {"type": "file", "file": part}
    return {"type": "text", "text": part["text"]} if "text" in part else part


def chat_content(content):
    return content if isinstance(content, str) else [chat_part(p) for p in google.objects(content)]


def item_as_message(item):
    """An item as a message of chat; {}: chat has nothing of the kind."""
    kind = item.get("type", "message")
    name = item.get("namespace", "") + ("__" if item.get("namespace") else "") + item.get("name", "")
    if kind == "message":
        return {"role": item["role"], "content": chat_content(item.get("content"))}
    if kind == "function_call":
        inner = {"type": "function", "function": {"name": name, "arguments": item["arguments"]}}
        return {"role": "assistant", "tool_calls": [{"id": item["call_id"], **inner}]}
    if kind == "custom_tool_call":
        inner = {"type": "custom", "custom": {"name": name, "input": item["input"]}}
        return {"role": "assistant", "tool_calls": [{"id": item["call_id"], **inner}]}
    if kind in ("function_call_output", "custom_tool_call_output"):
        return {"role": "tool", "tool_call_id": item["call_id"], "content": chat_content(item["output"])}
    return {}


def as_chat(request):
    """A request to /v1/responses in chat's form, as far as chat has it."""
    items = [{"role": "user", "content": request["input"]}] if isinstance(request["input"], str) else request["input"]
    tools = list(flat_tools(request.get("tools")))
    for item in items:
        if item.get("type") in ("tool_search_output", "additional_tools"):
            tools += flat_tools(item.get("tools"))
    out = {"messages": [item_as_message(item) for item in items]}
    if request.get("instructions"):
        out["messages"].insert(0, {"role": "system", "content": request["instructions"]})
    if tools:
        out["tools"] = tools
    for name, value in (("tool_choice", request.get("tool_choice")), ("max_tokens", request.get("max_output_tokens")),
                        ("reasoning_effort", (request.get("reasoning") or {}).get("effort"))):
        if value is not None:
            out[name] = value
    form = (request.get("text") or {}).get("format")
    if form:
        out["response_format"] = {"type": form["type"], "json_schema": form}
    return out


def responses(request, body):
    """Of a request to /v1/responses, in the body that went upstream for it."""
    return chat(as_chat(request), body)


# --- Anthropic's messages ---


def source_part(block):
    """A picture or a document as a part of chat."""
    source = block["source"]
    if source["type"] == "text":
        return {"type": "text", "text": source["data"]}
    if source["type"] == "base64":
        return {"type": "image_url", "image_url": f"data:{source['media_type']};base64,{source['data']}"}
    return {"type": "image_url", "image_url": source["url"]} if source["type"] == "url" else {}


def block_part(block):
    kind = block.get("type")
    if kind in ("image", "document"):
        return source_part(block)
    return {"type": "text", "text": block["tool_name"] if kind == "tool_reference" else block.get("text", "")}


def block_content(content):
    return content if isinstance(content, str) else [block_part(b) for b in google.objects(content)]


def block_messages(role, content):
    """A message's blocks as messages of chat: each result is one."""
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    parts, calls = [], []
    for block in blocks:
        if block["type"] == "tool_result":
            yield {"role": "tool", "tool_call_id": block["tool_use_id"], "content": block_content(block.get("content"))}
        elif block["type"] == "tool_use":
            function = {"name": block["name"], "arguments": json.dumps(block["input"])}
            calls.append({"id": block["id"], "type": "function", "function": function})
        elif block["type"] != "thinking":
            parts.append(block_part(block))
    yield {"role": role, "content": parts, "tool_calls": calls}


def messages_as_chat(request):
    """A request to /v1/messages in chat's form, as far as chat has it."""
    system, choice = request.get("system", []), request.get("tool_choice")
    out = {"messages": [{"role": "system", "content": block_content(system)}],
           "tools": [{"type": "function", "function": {**t, "parameters": t.get("input_schema")}}
                     for t in request.get("tools", []) if t.get("type", "custom") == "custom"]}
    for message in request["messages"]:
        out["messages"] += block_messages(message["role"], message["content"])
    if choice:
        kinds = {"auto": "auto", "any": "required", "none": "none", "tool": {"type": "function", "function": choice}}
        out["tool_choice"] = kinds[choice["type"]]
    for name, value in (("max_tokens", request.get("max_tokens")), ("stop", request.get("stop_sequences")),
                        ("reasoning_effort", (request.get("output_config") or {}).get("effort"))):
        if value is not None:
            out[name] = value
    form = (request.get("output_config") or {}).get("format")
    if form:
        out["response_format"] = {"type": "json_schema", "json_schema": form}
    return out


def messages(request, body):
    """Of a request to /v1/messages, in the body that went upstream for it."""
    return chat(messages_as_chat(request), body)
