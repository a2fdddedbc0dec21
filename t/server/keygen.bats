#!/usr/bin/env bats
# ncserver --keygen

load server.bash
bats_require_minimum_version 1.5.0

@test "a key is made with its file for the owner only, whatever the umask" {
	umask 0
	run -0 "$NCSERVER" --keygen "$T/mesh.key"
	[[ $output =~ ^"$T/mesh.key: key "[0-9a-f]{8}", aes-256-gcm"$ ]]
	[ "$(stat -c %a "$T/mesh.key")" = 600 ]
	id=${output#*key }
	grep -qx "id ${id%%,*}" "$T/mesh.key"
	grep -qx 'cipher aes-256-gcm' "$T/mesh.key"
	[ "$(grep -cxE 'secret [0-9a-f]{64}' "$T/mesh.key")" = 1 ]
}

@test "what is at the place of a key stays" {
	echo precious >"$T/mesh.key"
	run -73 "$NCSERVER" --keygen "$T/mesh.key"
	[[ $output == *"$T/mesh.key: exists"* ]]
	[ "$(cat "$T/mesh.key")" = precious ]
}

@test "without a file the key goes to standard output, another one each time" {
	run -0 --separate-stderr "$NCSERVER" --keygen --cipher=chacha20-poly1305
	grep -qx 'cipher chacha20-poly1305' <<<"$output"
	[ -z "$stderr" ]
	first=$(grep '^secret ' <<<"$output")
	run -0 "$NCSERVER" --keygen
	[ "$(grep '^secret ' <<<"$output")" != "$first" ]
}

@test "a key that can't be written is told" {
	run -74 bash -c "'$NCSERVER' --keygen >/dev/full"
	[[ $output == *"standard output"* ]]
	run -73 "$NCSERVER" --keygen "$T/missing/mesh.key"
	[[ $output == *"$T/missing/mesh.key: No such file or directory (its folder is to be made first)"* ]]
}

@test "an unknown cipher is an error of the command line" {
	run -64 "$NCSERVER" --keygen --cipher=rot13 "$T/mesh.key"
	[ ! -e "$T/mesh.key" ]
}

@test "without libcrypto no key is made, which is told, and a server that bridges nothing runs" {
	unshare -rm true 2>/dev/null || skip "no mount namespace can be made here"
	library=$(ldconfig -p | awk '$1 == "libcrypto.so.3" { print $NF; exit }')
	[ -n "$library" ] || skip "libcrypto.so.3 is not where the dynamic linker looks for it"
	conf c
	run -71 unshare -rm bash -c "mount --bind /dev/null '$library' && exec '$NCSERVER' --keygen '$T/mesh.key'"
	[[ $output == *"libcrypto.so.3: "* ]]
	[ ! -e "$T/mesh.key" ]
	run -0 unshare -rm bash -c "mount --bind /dev/null '$library' && exec '$NCSERVER' --check-config '$T/c'"
}
