"""HTTP, SSE and one adapter per wire format.

An adapter is two pure functions: a chat request to an `HttpRequest`, and the answer's bytes to chat events.
Few things here know a provider by name: what differs between endpoints of one format is a row of data.

    http                       the only module that imports httpx
    key_header                 where an endpoint looks for the key
    origin                     the origin of a URL: what a key is bound to, and a list must not leave
    adapter, formats           the interface of a wire format; api type to adapter
    sse, ndjson, json_array    bytes to events, lines, elements
    json_values                reading JSON nobody promised the shape of
    payloads                   the bytes of an answer to JSON payloads, whatever the body turned out to be
    answer_decoder             what the decoders share; answer_errors: the errors they raise
    message_draft              an assistant message while it is being received
    tool_calls, reasoning_details, reported_cost
                               parts of answers that several formats have
    retry_after, error_bodies  what an error answer says
    error_words, context_overflow, error_classification, upstream_errors
                               what it means: one classification for every way a provider reports an error
    conversation               every call answered, nobody gets another model's data
    substitutes                media that a model cannot read, options that it does not take
    reasoning_options, sampling_options, tool_schemas
                               options and schemas as a model takes them
    openai_chat*               OpenAI chat completions and their dialects, OpenRouter's extensions among them
    openai_responses*          OpenAI Responses: request, input items, replay, output items, decoder
    anthropic*                 Anthropic Messages: request, turns, replay, thinking, cache marks, decoder
    gemini*                    Gemini: request, contents, replay, partial arguments, decoder
    ollama*                    Ollama's own chat API
"""
