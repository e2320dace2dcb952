"""The demo: a shop with a bot, the sandbox in Kommo's place, web and worker, under one command."""
