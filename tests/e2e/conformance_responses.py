# SPDX-License-Identifier: MIT
"""The rows of POST /v1/responses: each field, item and tool of a request, and what becomes of Gemini's answer."""
from conformance_rows import CONFIG, DECLARED, MODE, MODEL, OLD, PART, PNG, STREAM, answered, gemini, ignored, refused, to

HI = {"role": "user", "content": "Hi"}
BASES = {"responses": {"model": MODEL, "input": "Hi"}, "responses-answers": {"model": MODEL, "input": "Hi"}}
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
F = {"type": "function", "name": "f", "parameters": SCHEMA, "strict": False}
NAMESPACE = {"type": "namespace", "name": "ns", "description": "d", "tools": [F]}
CALL = {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": '{"city":"Rome"}'}
RESULT = {"type": "function_call_output", "call_id": "call_1", "output": "sunny"}
SIGNATURE = "c2lnbmF0dXJlLTEyMzQ1Njc4"
SEARCH = {"type": "tool_search", "execution": "client"}
CALLED, GAVE = "contents.1.parts.0.functionCall", "contents.2.parts.0.functionResponse.response"


def items(*more, **fields):
    return {"input": [HI, *more], **fields}


def part(p):
    return {"input": [{"role": "user", "content": [p]}]}


def client_call(kind, tool, member, value, output, gave):
    """A tool that the client runs, its call, and what Gemini gets of both."""
    call = {"type": f"{kind}_call", "call_id": "call_1", "status": "completed", member: value}
    result = {"type": f"{kind}_call_output", "call_id": "call_1", "output": output}
    return items(call, result, tools=[tool]), {CALLED + ".name": kind, GAVE: gave}


RESPONSES = [
    to("model", "the model of the path", {"model": "google/" + OLD}, {"(path)": f"/v1beta/models/{OLD}:generateContent"}),
    refused("model", {"model": 7}, "model must be a string", "model"),
    to("stream", "the method of the path", STREAM, {"(path)": f"/v1beta/models/{MODEL}:streamGenerateContent?alt=sse"}),
    ignored("stream_options", "events are not padded", {"stream_options": {"include_obfuscation": True}}),
    to("instructions", "the system instruction", {"instructions": "Be kind."}, {"systemInstruction.parts": [{"text": "Be kind."}]}),
    refused("instructions", {"instructions": 7}, "instructions must be a string", "instructions"),
    to("input", "a text, or items: see the rows of each", {"input": "Hello"}, {"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]}),
    refused("input", {"input": None}, "input is required", "input"),
    refused("input", {"input": []}, "input must not be empty", "input"),
    refused("input", {"input": 7}, "input must be a string or an array", "input"),
    to("max_output_tokens", "maxOutputTokens", {"max_output_tokens": 9}, {CONFIG + "maxOutputTokens": 9}),
    refused("max_output_tokens", {"max_output_tokens": "9"}, "max_output_tokens must be an integer", "max_output_tokens"),
    to("temperature", "the same, for models that sample", {"model": OLD, "temperature": 0.5}, {CONFIG + "temperature": 0.5}),
    ignored("temperature", "the model ignores it or refuses it", {"temperature": 0.5}),
    refused("temperature", {"temperature": 9}, "temperature must be between 0 and 2", "temperature"),
    to("top_p", "the same, for models that sample", {"model": OLD, "top_p": 0.9}, {CONFIG + "topP": 0.9}),
    to("top_logprobs", "logprobs", {"top_logprobs": 3}, {CONFIG + "logprobs": 3}),
    to("service_tier", "serviceTier", {"service_tier": "flex"}, {"serviceTier": "flex"}),
    to("store", "the same; without it, or with `true`, gemgate keeps the response (RESPONSES_STORE)", {"store": False}, {"store": False}),
    answered("store", "repeated", "text Hi", {"store": False}, store=False),
    refused("previous_response_id", {"previous_response_id": "resp_1"}, "previous_response_id names a response that is not kept, or no longer: send the whole input", "previous_response_id"),
    refused("background", {"background": True}, "background must be false: gemgate answers while the client waits", "background"),
    ignored("background", "`false` is how it is", {"background": False}),
    refused("conversation", {"conversation": "conv_1"}, "conversation is not kept by gemgate: send the whole input, or previous_response_id", "conversation"),
    refused("prompt", {"prompt": {"id": "p"}}, "prompt is a template that OpenAI keeps: send instructions and input", "prompt"),
    to("reasoning", "`effort`: a level or a budget", {"reasoning": {"effort": "low"}}, {CONFIG + "thinkingConfig.thinkingLevel": "LOW"}),
    to("reasoning", "`summary`: thoughts come back", {"reasoning": {"summary": "auto"}}, {CONFIG + "thinkingConfig.includeThoughts": True}),
    refused("reasoning", {"reasoning": {"effort": "much"}}, "reasoning.effort must be one of none, minimal, low, medium, high, xhigh, max", "reasoning.effort"),
    refused("reasoning", {"reasoning": {"summary": "long"}}, "reasoning.summary must be auto, concise or detailed", "reasoning.summary"),
    to("text", "`format`: the JSON mode and its schema", {"text": {"format": {"type": "json_schema", "name": "x", "schema": SCHEMA}}}, {CONFIG + "responseMimeType": "application/json", CONFIG + "responseJsonSchema": SCHEMA}),
    ignored("text", "`{}`, `format: text`, `verbosity`", {"text": {"format": {"type": "text"}, "verbosity": "low"}}),
    refused("text", {"text": {"format": {"type": "json_schema", "name": "x"}}}, "text.format.schema is required", "text.format.schema"),
    ignored("include", "`reasoning.encrypted_content` is about the answer; others have no counterpart", {"include": ["reasoning.encrypted_content", "file_search_call.results"]}),
    to("include", "`message.output_text.logprobs`", {"include": ["message.output_text.logprobs"]}, {CONFIG + "responseLogprobs": True}),
    refused("include", {"include": [7]}, "include must be a string", "include"),
    to("tools", "see the rows of each type", {"tools": [F]}, {DECLARED + "name": "f", DECLARED + "parametersJsonSchema": SCHEMA}),
    refused("tools", {"tools": [7]}, "tools[0] must be an object", "tools[0]"),
    to("tool_choice", "a mode", {"tools": [F], "tool_choice": "required"}, {MODE + "mode": "ANY"}),
    to("tool_choice", "one function", {"tools": [F], "tool_choice": {"type": "function", "name": "f"}}, {MODE + "mode": "ANY", MODE + "allowedFunctionNames": ["f"]}),
    to("tool_choice", "allowed_tools", {"tools": [F], "tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "f"}]}}, {MODE + "mode": "VALIDATED", MODE + "allowedFunctionNames": ["f"]}),
    refused("tool_choice", {"tools": [F], "tool_choice": {"type": "function", "name": "g"}}, "tool_choice.name must be the name of a tool of tools", "tool_choice.name"),
    answered("parallel_tool_calls", "`false`: only the first call is passed on", gemini({"functionCall": {"name": "f", "args": {"city": "Rome"}}}, {"functionCall": {"name": "f", "args": {"city": "Oslo"}}}), {"output.0.name": "f", "output.1": "(absent)"}, tools=[F], parallel_tool_calls=False),
    ignored("prompt_cache_key", "the name of the conversation, which keeps its project", {"prompt_cache_key": "k"}),
    ignored("user", "as `prompt_cache_key`", {"user": "u"}),
    *(ignored(name, "Gemini has nothing of the kind", {name: value}) for name, value in (
        ("metadata", {"a": "b"}), ("safety_identifier", "s"), ("truncation", "auto"), ("max_tool_calls", 3), ("prompt_cache_retention", "24h"),
        ("prompt_cache_options", {"mode": "implicit"}), ("context_management", [{"type": "compaction"}]), ("moderation", {"model": "m"}))),
    # --- items ---
    to("input[] message", "a content of its role, also without a `type`", items({"role": "assistant", "content": "Yes?"}, HI), {"contents.1.role": "model"}),
    to("input[] message, developer", "the system instruction", items({"role": "developer", "content": "Be brief."}), {"systemInstruction.parts": [{"text": "Be brief."}]}),
    refused("input[] message", {"input": [{"role": "robot", "content": "x"}]}, "input[0].role must be user, assistant, system or developer", "input[0].role"),
    to("input[] input_text", "a text", part({"type": "input_text", "text": "a"}), {PART + "text": "a"}),
    to("input[] input_image", "inlineData, or fileData of a URL", part({"type": "input_image", "image_url": "data:image/png;base64," + PNG}), {PART + "inlineData": {"mimeType": "image/png", "data": PNG}}),
    to("input[] input_file", "inlineData, or fileData", part({"type": "input_file", "filename": "a.csv", "file_data": "data:;base64,YSxi"}), {PART + "inlineData": {"mimeType": "text/csv", "data": "YSxi"}}),
    refused("input[] a part", part({"type": "smell"}), "input[0].content[0].type must be input_text, input_image, input_file, input_audio, output_text or refusal", "input[0].content[0].type"),
    to("input[] function_call", "functionCall", items(CALL, RESULT, tools=[F]), {CALLED: {"id": "call_1", "name": "f", "args": {"city": "Rome"}}}),
    to("input[] function_call of a namespace", "the name that Gemini knows", items(CALL | {"namespace": "ns"}, RESULT, tools=[NAMESPACE]), {CALLED + ".name": "ns__f"}),
    to("input[] function_call_output", "functionResponse: a text or parts", items(CALL, RESULT, tools=[F]), {GAVE: {"output": "sunny"}}),
    to("input[] custom_tool_call", "functionCall with the text `input`", items({"type": "custom_tool_call", "call_id": "call_1", "name": "c", "input": "a"}, {"type": "custom_tool_call_output", "call_id": "call_1", "output": "b"}, tools=[{"type": "custom", "name": "c"}]), {CALLED + ".args": {"input": "a"}, GAVE: {"output": "b"}}),
    to("input[] reasoning", "`encrypted_content`: the signature of the next call", items({"type": "reasoning", "summary": [], "encrypted_content": SIGNATURE}, CALL, RESULT, tools=[F], model=OLD), {"contents.1.parts.0.thoughtSignature": SIGNATURE}),
    to("input[] tool_search_output", "its tools are declared", items({"type": "tool_search_call", "call_id": "call_1", "execution": "client", "arguments": {"query": "x"}}, {"type": "tool_search_output", "call_id": "call_1", "execution": "client", "tools": [NAMESPACE]}), {DECLARED + "name": "ns__f", CALLED + ".name": "tool_search"}),
    to("input[] additional_tools", "its tools are declared", items({"type": "additional_tools", "tools": [F]}), {DECLARED + "name": "f"}),
    to("input[] local_shell_call", "a call and its result", *client_call("local_shell", {"type": "local_shell"}, "action", {"type": "exec", "command": ["ls"], "env": {}}, "a.txt", {"output": "a.txt"})),
    to("input[] shell_call", "a call and its result", *client_call("shell", {"type": "shell"}, "action", {"commands": ["ls"]}, [], {"output": "[]"})),
    to("input[] apply_patch_call", "a call and its result", *client_call("apply_patch", {"type": "apply_patch"}, "operation", {"type": "delete_file", "path": "a"}, "done", {"output": "done"})),
    to("input[] image_generation_call", "an image of the model", items({"type": "image_generation_call", "id": "ig_1", "status": "completed", "result": PNG}, HI), {"contents.1.parts.0.inlineData": {"mimeType": "image/png", "data": PNG}}),
    to("input[] configuration_update", "another effort", items({"type": "configuration_update", "reasoning": {"effort": "high"}}), {CONFIG + "thinkingConfig.thinkingLevel": "HIGH"}),
    ignored("input[] of another type", "skipped: web_search_call, mcp_call, compaction_trigger …", items({"type": "web_search_call", "id": "ws_1", "status": "completed"}), items()),
    refused("input[] item_reference", {"input": [{"type": "item_reference", "id": "msg_1"}]}, "input[0].id names an item that is not kept, or no longer: send the item itself", "input[0].id"),
    # --- tools ---
    to("tools[] custom", "a function with the text `input`; its grammar is in the description", {"tools": [{"type": "custom", "name": "c", "format": {"type": "grammar", "syntax": "regex", "definition": "^a+$"}}]}, {DECLARED + "name": "c", DECLARED + "description": "(holds) ^a+$"}),
    to("tools[] namespace", "its functions, by `NAMESPACE__NAME`", {"tools": [NAMESPACE]}, {DECLARED + "name": "ns__f"}),
    to("tools[] tool_search", "a function, if the client searches", {"tools": [SEARCH]}, {DECLARED + "name": "tool_search"}),
    *(to(f"tools[] {name}", "a function that the client runs", {"tools": [{"type": name}]}, {DECLARED + "name": name}) for name in ("local_shell", "shell", "apply_patch")),
    to("tools[] web_search", "googleSearch", {"tools": [{"type": "web_search", "external_web_access": True}]}, {"tools.0": {"googleSearch": {}}}),
    to("tools[] code_interpreter", "codeExecution", {"tools": [{"type": "code_interpreter", "container": {"type": "auto"}}]}, {"tools.0": {"codeExecution": {}}}),
    ignored("tools[] image_generation", "the model makes no images", {"tools": [{"type": "image_generation"}]}),
    ignored("tools[] of another type", "file_search, mcp, computer …: clients send them to all models", {"tools": [{"type": "mcp", "server_label": "x", "server_url": "https://a.example"}]}),
]

MESSAGE = "output.0.content.0."
RESPONSE_ANSWERS = [
    answered("parts[].text", "a message with output_text", gemini({"text": "Hello"}), {MESSAGE + "type": "output_text", MESSAGE + "text": "Hello", "status": "completed"}),
    answered("parts[].thought", "a reasoning item, if summaries were asked for", gemini({"text": "Hm", "thought": True}, {"text": "Hello"}), {"output.0.type": "reasoning", "output.0.summary.0.text": "Hm", "output.1.type": "message"}, reasoning={"summary": "auto"}),
    answered("parts[].thoughtSignature", "encrypted_content of the reasoning before the call, if `include` asks for it", gemini({"functionCall": {"name": "f", "args": {"city": "Rome"}}, "thoughtSignature": SIGNATURE}), {"output.0.encrypted_content": SIGNATURE, "output.1.type": "function_call"}, tools=[F], include=["reasoning.encrypted_content"]),
    answered("parts[].functionCall", "function_call", gemini({"functionCall": {"name": "f", "args": {"city": "Rome"}}}), {"output.0.type": "function_call", "output.0.name": "f", "output.0.arguments": '{"city":"Rome"}'}, tools=[F]),
    answered("parts[].functionCall of a namespace", "with its namespace", gemini({"functionCall": {"name": "ns__f", "args": {"city": "Rome"}}}), {"output.0.namespace": "ns", "output.0.name": "f"}, tools=[NAMESPACE]),
    answered("parts[].functionCall of a custom tool", "custom_tool_call", gemini({"functionCall": {"name": "c", "args": {"input": "a"}}}), {"output.0.type": "custom_tool_call", "output.0.input": "a"}, tools=[{"type": "custom", "name": "c"}]),
    answered("parts[].functionCall of tool_search", "tool_search_call", gemini({"functionCall": {"name": "tool_search", "args": {"query": "x"}}}), {"output.0.type": "tool_search_call", "output.0.execution": "client", "output.0.arguments": {"query": "x"}}, tools=[SEARCH]),
    answered("parts[].functionCall of local_shell", "local_shell_call", gemini({"functionCall": {"name": "local_shell", "args": {"command": ["ls"]}}}), {"output.0.type": "local_shell_call", "output.0.action.command": ["ls"]}, tools=[{"type": "local_shell"}]),
    answered("parts[].inlineData", "image_generation_call; the text beside it stays", gemini({"text": "Here"}, {"inlineData": {"mimeType": "image/png", "data": PNG}}), {MESSAGE + "text": "Here", "output.1.type": "image_generation_call", "output.1.result": PNG}),
    answered("parts[].executableCode", "code_interpreter_call", gemini({"executableCode": {"language": "PYTHON", "code": "print(1)"}}, {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1"}}, {"text": "One."}), {"output.0.type": "code_interpreter_call", "output.0.code": "print(1)", "output.0.outputs.0.logs": "1"}, tools=[{"type": "code_interpreter", "container": {"type": "auto"}}]),
    *(answered(f"candidates[].finishReason {reason}", f"`incomplete`, {why}", gemini({"text": "Hello"}, finish=reason), {"status": "incomplete", "incomplete_details.reason": why})
      for reason, why in (("MAX_TOKENS", "max_output_tokens"), ("SAFETY", "content_filter"), ("RECITATION", "content_filter"), ("PROHIBITED_CONTENT", "content_filter"))),
    answered("promptFeedback.blockReason", "`incomplete`, with no output", "blocked SAFETY", {"status": "incomplete", "incomplete_details.reason": "content_filter", "output": []}),
    answered("usageMetadata", "usage", "text Hello usage=7/5/3", {"usage.input_tokens": 7, "usage.total_tokens": "(number)", "usage.input_tokens_details.cached_tokens": 0}),
    answered("(a stream)", "events in OpenAI's order", 'text "a b" chunks=2', {"0.type": "response.created", "1.type": "response.in_progress", "-1.type": "response.completed", "-1.response.output.0.content.0.text": "a b"}, **STREAM),
]
