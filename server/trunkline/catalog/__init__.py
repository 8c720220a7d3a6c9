"""Which models exist: the offline catalogue of models.dev, and live lists fetched from providers.

`modelsdev` and `openrouter` each read one foreign shape into `ModelInfo`, with `fields` for what they share;
`live` fetches and caches.
"""
