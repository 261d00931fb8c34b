#!/bin/sh
# Make the package for macOS: build_pkg.sh ENGINE VERSION WORK TARGET
#
# NOT YET RUN: written on Linux, where Apple's tools are not to be had.
#
#   ENGINE    the frozen engine's folder
#   WORK      a folder for this to work in
#   TARGET    the package to write
#
# Layout: the package unpacks the engine into a folder of the user's caches and has it install itself,
# as on every other system (scripts/postinstall). So it ends up in
# ~/Library/Application Support/maskwright, with the record that uninstalling goes by:
#   ~/.local/bin/maskwright setup uninstall
#
# Without the following it is not signed, and macOS refuses it until the user allows it under
# System Settings > Privacy & Security. With an Apple developer's certificates in the keychain:
#   SIGN_PROGRAMS="Developer ID Application: NAME (TEAM)"    every library and program
#   SIGN_PACKAGE="Developer ID Installer: NAME (TEAM)"       the package
#   NOTARY_PROFILE=NAME     as kept by `xcrun notarytool store-credentials NAME`: Apple's own check,
#                           whose ticket is stapled to the package
set -eu

engine=$1 version=$2 work=$3 target=$4
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
identifier=org.maskwright.engine

mkdir -p "$work/root" "$work/packages"
ditto "$engine" "$work/root/engine" # keeps links and permissions

if [ -n "${SIGN_PROGRAMS:-}" ]; then
    # What is inside first, the program last. Only a program has entitlements.
    find "$work/root/engine" -type f \( -name '*.so' -o -name '*.dylib' -o -name Python \) \
        -exec codesign --force --timestamp --options runtime --sign "$SIGN_PROGRAMS" {} +
    codesign --force --timestamp --options runtime --entitlements "$here/entitlements.plist" \
        --sign "$SIGN_PROGRAMS" "$work/root/engine/maskwright"
fi

pkgbuild --root "$work/root" --scripts "$here/scripts" --identifier "$identifier" \
    --version "$version" --install-location "/Library/Caches/maskwright-setup" \
    "$work/packages/engine.pkg"
sed "s/@VERSION@/$version/g" "$here/distribution.xml" >"$work/distribution.xml"
set -- --distribution "$work/distribution.xml" --package-path "$work/packages" "$target"
if [ -n "${SIGN_PACKAGE:-}" ]; then
    set -- --sign "$SIGN_PACKAGE" --timestamp "$@"
fi
productbuild "$@"

if [ -n "${NOTARY_PROFILE:-}" ]; then
    xcrun notarytool submit "$target" --keychain-profile "$NOTARY_PROFILE" --wait
    xcrun stapler staple "$target"
fi
