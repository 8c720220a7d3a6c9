"""The registry: providers as rows of data, what the user's settings make of them, and what they offer.

spec            what a row says
rows            the built-in rows
registry        rows + offline catalogue + settings = the providers there are
model_lists     which model list of a provider is in use
provider_list   the answer to provider/list
model_list      the answer to model/list
suggest         names that resemble an unknown one
keys            setting, listing and removing keys by provider
directory       all of that for the rooms above, and the look-up of one model
"""
