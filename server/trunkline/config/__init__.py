"""The user's settings: where they are, what they may say, what is wrong with them, and changing them.

paths            the directories of this user
settings         the model of the configuration file; base, model_settings, credentials, urls are parts of it
sources          which files and variables there are, the strongest last
documents        what of one document can be used, and merging
substitution     `{env:NAME}` and `{file:path}` in the user's own files
load             the configuration as it is now, with its problems
narrowing        what editors and workspaces may take away
workspace        files in the workspace
environment      settings that the environment may override
edit             changing the user's file; jsonc_edit and jsonc_scan keep its text
whole_files      writing files so that none is ever half there
foreign          taking over the settings of Kilo and opencode
generate         the JSON Schema for editors
"""
