#!/bin/sh
: >"$1" && chmod 644 "$1"
