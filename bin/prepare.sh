# Sourced by bin/klik and bin/test, with $root set: keeps .venv, klik/static/vendor and .setup as the lock files say.
# POSIX sh, and nothing but python3 with pip is taken for granted: no python3-venv, no npm, no root.
# Messages go to standard error, so that `bin/klik … --json` stays clean.

# shellcheck disable=SC2154  # root is set by the script that sources this
setup="$root/.setup"
vendor="$root/klik/static/vendor"
pdf_packages='libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0'

say() { printf 'klik: %s\n' "$*" >&2; }

# prepare main|test: returns at once when nothing has changed since last time.
prepare() {
    # The path is part of it: a moved checkout has scripts in .venv that point to the old place.
    wanted=$({ echo "$root"; cat "$root"/requirements/*.txt "$root/setup.cfg" "$root/pyproject.toml" \
        "$root/package-lock.json" "$root/bin/prepare.sh"; } | sha256sum)
    if ! is_ready "$1"; then set_up "$1"; fi
    use_private_packages
    if [ "$1" = test ]; then find_chromium; fi
}

is_ready() {
    [ -x "$root/.venv/bin/python" ] && [ -d "$vendor" ] &&
        [ "$(cat "$root/.venv/klik-$1-ready" 2>/dev/null)" = "$wanted" ]
}

set_up() {
    python=$(find_python)
    mkdir -p "$setup"
    trap 'say "Opsætningen blev ikke færdig. Kør kommandoen igen; det, der er hentet, bliver genbrugt."' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    # The lock belongs to the open file, which this shell keeps: it goes when the shell does, however it ends.
    exec 9<>"$setup/lock"
    "$python" -c 'import fcntl; fcntl.flock(0, fcntl.LOCK_EX)' <&9
    # Another start may have done the work while this one waited.
    if ! is_ready "$1"; then
        install_python_packages "$1"
        fetch_frontend
        install_debian_packages "$1"
    fi
    exec 9<&-
    trap - EXIT INT TERM
}

find_python() {
    for name in python3 python3.14 python3.13 python3.12 python3.11; do
        # The real path: when a newer system replaces this Python, .venv breaks visibly and is built anew.
        if found=$("$name" -c 'import os, sys; print(os.path.realpath(sys.executable))' 2>/dev/null) &&
            "$found" -c 'import sys, pip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$found"
            return
        fi
    done
    say 'Der mangler Python 3.11 eller nyere med pip (Debian: sudo apt-get install python3-pip).'
    exit 1
}

install_python_packages() {
    say 'Henter Python-pakker …'
    # A package that was cut off half-way looks whole to pip, so an interrupted .venv is not mended but replaced.
    if [ -e "$setup/installing" ]; then rm -rf "$root/.venv"; fi
    : >"$setup/installing"
    if ! "$root/.venv/bin/python" -c '' 2>/dev/null; then
        rm -rf "$root/.venv"
        "$python" -m venv --without-pip "$root/.venv"
    fi
    pip_into "$root/.venv" --require-hashes -r "$root/requirements/build.txt" -r "$root/requirements/$1.txt"
    pip_into "$root/.venv" --no-deps --no-build-isolation --editable "$root"
    rm "$setup/installing"
}

# Debian's python3 has no ensurepip and refuses to install outside a venv: its pip installs into ours from outside.
pip_into() {
    environment=$1
    shift
    "$python" -m pip --python "$environment/bin/python" --quiet --disable-pip-version-check install --no-user "$@"
}

fetch_frontend() {
    locked=$(cat "$root/package-lock.json" "$root/bin/prepare.sh" | sha256sum)
    if [ "$(cat "$vendor/locked" 2>/dev/null)" = "$locked" ]; then return; fi
    say 'Henter designsystemet og htmx …'
    rm -rf "$setup/frontend"
    mkdir -p "$setup/frontend"
    cp "$root/package.json" "$root/package-lock.json" "$setup/frontend"
    if ! npm_install; then
        rm -rf "$setup/node"
        "$python" -m venv --without-pip "$setup/node"
        pip_into "$setup/node" --require-hashes -r "$root/requirements/node.txt"
        (PATH="$setup/node/bin:$PATH" && npm_install)
    fi
    keep_needed_files "$setup/frontend/node_modules" "$setup/frontend/vendor"
    echo "$locked" >"$setup/frontend/vendor/locked"
    rm -rf "$vendor"
    mkdir -p "$(dirname -- "$vendor")"
    mv "$setup/frontend/vendor" "$vendor"
    rm -rf "$setup/frontend" "$setup/node"
}

# The cache lies here because a home directory may be read-only.
npm_install() {
    command -v npm >/dev/null &&
        (cd "$setup/frontend" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error --cache "$setup/frontend/cache" >/dev/null)
}

# 1.7 MB of the 30: what the style sheet and the pages ask for, and the licences that must go with it.
keep_needed_files() {
    design="$1/dkfds/dist"
    fonts=fonts/IBMPlexSans/complete
    mkdir -p "$2/dkfds/css" "$2/dkfds/js" "$2/dkfds/$fonts/woff" "$2/dkfds/$fonts/woff2" "$2/htmx"
    cp "$design/css/dkfds.min.css" "$2/dkfds/css"
    cp "$design/js/dkfds.min.js" "$2/dkfds/js"
    cp -R "$design/img" "$2/dkfds"
    # The style sheet names the regular weight's woff before its woff2.
    cp "$design/$fonts/woff/IBMPlexSans-Regular.woff" "$2/dkfds/$fonts/woff"
    for weight in Regular Italic Medium MediumItalic SemiBold SemiBoldItalic Bold BoldItalic; do
        cp "$design/$fonts/woff2/IBMPlexSans-$weight.woff2" "$2/dkfds/$fonts/woff2"
    done
    cp "$design/$fonts/woff2/license.txt" "$2/dkfds/$fonts"
    cp "$design/LICENSE.md" "$2/dkfds"
    cp "$1/htmx.org/dist/htmx.min.js" "$1/htmx.org/LICENSE" "$2/htmx"
}

install_debian_packages() {
    # As with .venv: what was cut off while it was unpacked looks whole.
    if [ -e "$setup/unpacking" ]; then rm -rf "$setup/debian" "$setup/library-path" "$setup/unpacking"; fi
    missing=$(missing_packages "$1")
    if [ -n "$missing" ] && command -v apt-get >/dev/null; then
        say "Henter Debian-pakker: $missing …"
        # Without them only PDF (or one kind of test) fails, so klik goes on whatever happens here.
        # shellcheck disable=SC2086  # a list of names
        if [ "$(id -u)" = 0 ]; then
            install_as_root $missing
        else
            install_privately $missing
        fi >"$setup/apt.log" 2>&1 || true
        missing=$(missing_packages "$1")
    fi
    if [ -z "$missing" ]; then
        mark_ready "$1"
    elif [ "$1" = main ]; then
        # Not worth a new attempt at every start: klik runs without, and finds the libraries once they are there.
        mark_ready main
        say "PDF virker ikke, før disse pakker er installeret: sudo apt-get install $missing"
        say 'Alt andet virker imens. Hvorfor det ikke lykkedes, står i .setup/apt.log.'
    else
        say "Nogle test vil fejle, fordi disse pakker mangler: sudo apt-get install $missing"
    fi
}

mark_ready() {
    echo "$wanted" >"$root/.venv/klik-main-ready"
    echo "$wanted" >"$root/.venv/klik-$1-ready"
}

missing_packages() {
    use_private_packages
    missing=
    libraries_load libpango-1.0.so.0 libpangoft2-1.0.so.0 libharfbuzz-subset.so.0 || missing="$pdf_packages"
    if [ "$1" = test ]; then
        find_chromium
        [ -n "$KLIK_TEST_CHROMIUM" ] || missing="$missing chromium"
        # The Node.js inside playwright asks for it.
        libraries_load libatomic.so.1 || missing="$missing libatomic1"
        command -v strace >/dev/null || missing="$missing strace"
        command -v pdftotext >/dev/null || missing="$missing poppler-utils"
        command -v qpdf >/dev/null || missing="$missing qpdf"
    fi
    echo "${missing# }"
}

libraries_load() {
    "$root/.venv/bin/python" -c 'import ctypes, sys; [ctypes.CDLL(name) for name in sys.argv[1:]]' "$@" 2>/dev/null
}

install_as_root() {
    export DEBIAN_FRONTEND=noninteractive
    dpkg --configure -a # completes what an interruption left
    apt-get update      # a stale list may still do
    all_or_each get_as_root "$@"
}

get_as_root() { apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "$@"; }

# all_or_each COMMAND NAME…: apt gets nothing at all when one name is unknown, as chromium is to some systems.
all_or_each() {
    get=$1
    shift
    "$get" "$@" || for name; do "$get" "$name"; done
}

# Without root: apt downloads with directories of its own, and the packages are unpacked beside klik.
install_privately() {
    mkdir -p "$setup/apt/lists/partial" "$setup/apt/cache/archives/partial" "$setup/debian"
    apt_privately update
    all_or_each download_privately "$@"
    : >"$setup/unpacking"
    for package in "$setup"/apt/cache/archives/*.deb; do
        case $package in
        */libc6_*) ;; # the C library must be the one the running loader belongs to
        *) dpkg-deb -x "$package" "$setup/debian" || return ;;
        esac
    done
    for directory in "$setup"/debian/lib/*-linux-gnu* "$setup"/debian/usr/lib/*-linux-gnu* "$setup"/debian/usr/lib/*-linux-gnu*/*; do
        if ls "$directory"/lib*.so* >/dev/null 2>&1; then printf '%s:' "$directory"; fi
    done | sed 's/:$//' >"$setup/library-path"
    cat >"$setup/fonts.conf" <<-'FONTS'
	<?xml version="1.0"?>
	<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
	<fontconfig>
	  <dir>/usr/share/fonts</dir>
	  <dir prefix="relative">debian/usr/share/fonts</dir>
	  <cachedir prefix="relative">font-cache</cachedir>
	</fontconfig>
	FONTS
    rm -rf "$setup/apt" "$setup/unpacking"
}

apt_privately() {
    apt-get -o Dir::State="$setup/apt" -o Dir::Cache="$setup/apt/cache" -o Debug::NoLocking=1 "$@"
}

download_privately() { apt_privately install --download-only -y --no-install-recommends "$@"; }

use_private_packages() {
    if [ ! -e "$setup/library-path" ]; then return; fi
    LD_LIBRARY_PATH="$(cat "$setup/library-path")${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
    PATH="$PATH:$setup/debian/usr/bin"
    export LD_LIBRARY_PATH PATH
    if [ ! -e /etc/fonts/fonts.conf ]; then export FONTCONFIG_FILE="$setup/fonts.conf"; fi
}

# Empty when there is none: the browser tests then fail and say so.
find_chromium() {
    # The one unpacked here is not started by its script, which looks for itself under /usr.
    for candidate in "${KLIK_TEST_CHROMIUM:-}" /usr/bin/chromium /usr/bin/chromium-browser /usr/bin/google-chrome \
        "$setup/debian/usr/lib/chromium/chromium"; do
        if [ -x "$candidate" ]; then break; fi
        candidate=
    done
    export KLIK_TEST_CHROMIUM="$candidate"
}
