"""Which models exist: the catalogue of models.dev, and live lists fetched from providers.

catalogue   which document of models.dev is in use: packaged, cached, fetched, or the user's own
modelsdev   reads such a document
lists       one reader for each way in which providers publish their models
live        fetches those lists and keeps them
merge       completes what a list says with what the catalogue knows
fields      what single fields of all of them mean
"""
