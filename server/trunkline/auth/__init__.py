"""Keys: where they are kept, which one a provider uses, and where it may be sent.

keys            what may be shown of a key
credentials     a key together with the origin it may be sent to
tokens          what signing in gives

private_file    files that are the user's own and nobody else's
store_file      how the store's file is read and replaced
strict_json     JSON that holds keys
store_format    what a key's entry means
store_document  what the store's file means
store_draft     a change of the store under way
keychain        the system's keychain
override        the variable that takes the store's place
store_reading   which keys are stored
store           the user's keys, by provider and name

command         keys that a program prints
refusals        why a key is not used
candidates      every key that a provider could use
resolver        configuration > store > environment, in one place

login           signing in without copying a key
renewal         renewing what signing in gave
importing       taking over the keys of other programs
"""
