"""Taking over keys of other programs. Their files are only ever read.

found        a key that was found, or why what was found cannot be used
files        which files there are, and which program wrote one
opencode     the `auth.json` of Kilo and opencode
llm_keys     the `keys.json` of `llm`
env_files    variables in a `.env` file
plan         what is taken into the store, and what is not
"""
