"""HTTP, SSE and one adapter per wire format.

An adapter is two pure functions: a chat request to an `HttpRequest`, and the answer's bytes to chat events.
Nothing here knows a provider by name; what differs between endpoints of one format is a dialect record.

    http                       the only module that imports httpx
    sse                        bytes to events, WHATWG rules
    json_values                reading JSON nobody promised the shape of
    payloads                   the bytes of an answer to JSON payloads, whatever the body turned out to be
    retry_after, error_bodies  what an error answer says
    upstream_errors            what it means: one classification for every way a provider reports an error
    adapter                    the interface of a wire format
    message_draft              an assistant message while it is being received
    openai_chat*               OpenAI chat completions and its OpenRouter dialect
    formats                    api type to adapter
"""
