"""Keys: where they are kept, which one a provider uses, and where it may be sent.

origin        the scheme and host that a key is bound to
keys          what may be shown of a key, and what may be shown of one
credentials   a key together with the origin it may be sent to
store_format  what the store's file means
store_file    how the store's file is read and replaced
store         the user's keys, by provider and name
resolver      configuration > store > environment, in one place
"""
