#!/bin/sh
# An entrypoint script that stays, as many images have one.
node server.js
exit $?
