"""The command line, `authing-mfa`: click and rich (extra `cli`) over the async client.

Map: `app` has the root group and handles errors; `lazy` has groups whose help imports no command; `settings` and `profiles` find the
value of a setting; `tokens` stores a login; `prompts` reads secrets; `output` prints; `texts` and `error_messages` hold the sentences;
`exit_codes` the exit codes; `context` joins these for one run; `commands` has one module per command.
"""
