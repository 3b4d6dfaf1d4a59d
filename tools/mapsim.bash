# SPDX-License-Identifier: GPL-2.0-only
# Completion of mapsim's command line in bash. What can be completed is asked of mapsim itself.

_mapsim_commands() {
	"$mapsim" help 2>/dev/null | sed -n '/^commands:/,/^$/s/^  \([a-z]*\) .*/\1/p'
}

_mapsim_releases() { # [OPTION...]
	"$mapsim" kernels "$@" 2>/dev/null | awk 'NR > 1 { print $1 }'
}

# The rules of both architectures, each followed by "=".
_mapsim_rules() {
	local arch release

	for arch in arm64 x86_64; do
		release=$(_mapsim_releases --arch "$arch" | tail -n 1)
		"$mapsim" kernels --arch "$arch" "$release" --policy 2>/dev/null | sed -n 's/^\([a-z0-9_]*=\).*/\1/p'
	done | grep -vx 'arch=' | sort -u
}

# The values of a rule, which the message about a wrong one lists.
_mapsim_values() { # RULE
	"$mapsim" run --set "$1=" 2>&1 | sed -n 's/.*; the values of [^ ]* are //p' | tr ',' ' '
}

_mapsim() {
	local mapsim=${COMP_WORDS[0]} command=${COMP_WORDS[1]} cur=${COMP_WORDS[COMP_CWORD]} words=''
	local last=$((COMP_CWORD - 1))

	# bash makes three words of --arch=arm64
	if [ "$cur" = '=' ]; then
		cur=''
	elif [ "${COMP_WORDS[last]}" = '=' ]; then
		last=$((last - 1))
	fi
	COMPREPLY=()
	if [ "$COMP_CWORD" = 1 ]; then
		words="$(_mapsim_commands) --help --version"
	elif [ "$command" = help ]; then
		words=$(_mapsim_commands | grep -vx help)
	elif [ "${COMP_WORDS[last - 1]}" = --set ]; then
		words=$(_mapsim_values "${COMP_WORDS[last]}")
	elif [[ $cur = -* ]]; then
		words=$("$mapsim" help "$command" 2>/dev/null | sed -En 's/^  (-[a-z], )?(--[a-z-]+).*/\2/p')
	else
		case ${COMP_WORDS[last]} in
		--arch) words='arm64 x86_64' ;;
		--kernel) words=$(_mapsim_releases) ;;
		--set)
			words=$(_mapsim_rules)
			compopt -o nospace 2>/dev/null
			;;
		--only) words='search list' ;;
		--known | --output | --policy | --device | --bar | --resource | --param | --revoke | --play | --define | --include | --cflags | --depth) ;;
		*) [ "$command" != kernels ] || words=$(_mapsim_releases) ;;
		esac
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur" | sort -u)
}

# Where nothing of this fits, names of files do.
complete -o bashdefault -o default -F _mapsim mapsim
