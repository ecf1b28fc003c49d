#!/usr/bin/env bash
# package.sh WAY WHERE TO: installs hotline, or builds the echo against it in one of three ways.
# CXX is the compiler; LAUNCHER what to put before it, if anything.
set -euo pipefail

here="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)"
way="$1" where="$2" to="$3"
launcher=()
if [[ -n "${LAUNCHER:-}" && "$LAUNCHER" != *-NOTFOUND ]]; then
  launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER="$LAUNCHER")
fi

consumer() {
  rm -rf "$to"
  # Unoptimized and without debug information: it is compiled, and never run.
  cmake -G Ninja -S "$here/consumer" -B "$to" -DCMAKE_BUILD_TYPE=None -DECHO="$here/echo.cc" \
    -DBRIDGES="$here/bridges.cc" \
    "${launcher[@]}" "$@"
  cmake --build "$to" -j 1
  "$to/bridges"
}

# The echo serves a fixed port, so it is not started here: that it links is what is asked. The
# other program needs no port, and is run.
case "$way" in
  install)
    rm -rf "$to"
    cmake --install "$where" --prefix "$to"
    # What comes with the program.
    if [[ -x "$to/bin/hotline" ]]; then
      for file in man/man1/hotline.1 bash-completion/completions/hotline \
        zsh/site-functions/_hotline fish/vendor_completions.d/hotline.fish; do
        [[ -s "$to/share/$file" ]] || { echo "not installed: $file" >&2; exit 1; }
      done
    fi
    ;;
  find_package)
    consumer -DCMAKE_PREFIX_PATH="$where"
    ;;
  fetch_content)
    consumer -DFETCHCONTENT_SOURCE_DIR_HOTLINE="$where"
    # Nothing of hotline's own house comes along.
    if [[ -n "$(find "$to" -name '*_test' -o -name hotline -type f)" ]]; then
      echo "a consumer's build made hotline's tests or program" >&2
      exit 1
    fi
    ;;
  pkg_config)
    mkdir -p "$to"
    PKG_CONFIG_PATH="$(dirname "$(find "$where" -name hotline.pc)")"
    export PKG_CONFIG_PATH
    for static in '' --static; do
      # shellcheck disable=SC2046,SC2086
      "${CXX:-g++}" ${CXXFLAGS:-} -std=c++20 -Wall -Wextra -Werror "$here/echo.cc" -o "$to/echo" \
        $(pkg-config --cflags --libs $static hotline)
    done
    # shellcheck disable=SC2046,SC2086
    "${CXX:-g++}" ${CXXFLAGS:-} -std=c++20 -Wall -Wextra -Werror "$here/bridges.cc" \
      -o "$to/bridges" $(pkg-config --cflags --libs hotline-testing) -lboost_json
    "$to/bridges"
    ;;
  *)
    echo "package.sh: no way called $way" >&2
    exit 2
    ;;
esac
