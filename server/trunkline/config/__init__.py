"""The user's settings: where they are, what they may say, and what is wrong with them.

paths      the directories of this user
settings   the model of the configuration file
load       reading the files, merging them and reporting problems
"""
