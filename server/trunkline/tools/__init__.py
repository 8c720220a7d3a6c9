"""What models may do besides answering: tools of the workspace and of MCP servers, and the permission.

toolbox           all tools of a session under unique names, their arguments checked
workspace_tools   the built-in ones, on files of the workspace and through the editor
mcp_servers       the servers that the user has configured
permission        what may be done without asking, what must be asked, what may not be done
"""
