#!/bin/sh
# Set up .venv with PYTHON, or with the first Python that can hold the lock: `tools/set_up.sh [PYTHON]`.
# python3 comes first, as the user's own choice; a candidate may be missing, too old to parse much,
# or a shim of nothing. One line and exit status 2 where none can, before anything is installed.

refuse() {
  echo "make: $1" >&2
  exit 2
}

command -v git >/dev/null || refuse "git is missing, which DVC needs"
if ! said=$(git rev-parse --git-dir 2>&1); then
  [ -e .git ] && refuse "git refuses this folder: $(echo "$said" | head -n 1)"
  refuse "not a git repository, which DVC needs (a downloaded archive?); \`git init\` makes it one"
fi
case $PWD in
  *:*) refuse "the path $PWD holds a colon, which ends a folder's name in PATH; move the project" ;;
esac

named=$1
[ "$named" ] || set -- python3 python3.13 python3.12 python3.11 python
why=
for python; do
  said=$("$python" tools/check_python.py 2>&1)
  case $? in
    0) exec "$python" -m tools.set_up ;;
    2) why=${why:-$said} ;; # the first that runs is the one to mend
  esac
done
[ "$why" ] && refuse "${why#make: }"
refuse "${named:-Python} is missing, or does not run; allowed: Python 3.11 to 3.13, 64 bit"
