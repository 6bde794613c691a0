"""The command line, `authing-mfa`: click and rich (extra `cli`) over the async client.

Map: `app` is the root group and what becomes of errors; `lazy` groups whose help imports no command; `settings` and `profiles`
where a value comes from; `tokens` where a login is kept; `asking` how a secret gets in; `output` what is printed where;
`texts` and `failures` the sentences; `exits` the exit codes; `run` ties one run together; `commands` one module per command;
`reference` writes docs/cli.md.
"""
