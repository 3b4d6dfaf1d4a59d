#compdef mapsim
# SPDX-License-Identifier: GPL-2.0-only
# Completion of mapsim's command line in zsh. What can be completed is asked of mapsim itself.

_mapsim_commands() {
	$mapsim help 2>/dev/null | sed -n '/^commands:/,/^$/s/^  \([a-z]*\) .*/\1/p'
}

_mapsim_releases() { # [OPTION...]
	$mapsim kernels $@ 2>/dev/null | awk 'NR > 1 { print $1 }'
}

_mapsim_rules() {
	local arch
	for arch in arm64 x86_64; do
		$mapsim kernels --arch $arch ${$(_mapsim_releases --arch $arch)[-1]} --policy 2>/dev/null
	done | sed -n 's/^\([a-z0-9_]*\)=.*/\1/p' | grep -vx arch | sort -u
}

# The values of a rule, which the message about a wrong one lists.
_mapsim_values() { # RULE
	$mapsim run --set $1= 2>&1 | sed -n 's/.*; the values of [^ ]* are //p' | tr -d ,
}

_mapsim() {
	local mapsim=$words[1] command=$words[2] before=$words[CURRENT-1]

	if ((CURRENT == 2)); then
		compadd -- $(_mapsim_commands) --help --version
		return
	elif [[ $command == help ]]; then
		compadd -- $(_mapsim_commands | grep -vx help)
		return
	elif [[ $PREFIX == --*=* ]]; then
		before=${PREFIX%%=*}
		compset -P '--[a-z-]#='
	elif [[ $PREFIX == -* ]]; then
		compadd -- $($mapsim help $command 2>/dev/null | sed -En 's/^  (-[a-z], )?(--[a-z-]+).*/\2/p')
		return
	fi
	case $before in
	--arch) compadd -- arm64 x86_64 ;;
	--kernel) compadd -- $(_mapsim_releases) ;;
	--set)
		if [[ $PREFIX == *=* ]]; then
			local rule=${PREFIX%%=*}
			compset -P '*='
			compadd -- $(_mapsim_values $rule)
		else
			compadd -S = -- $(_mapsim_rules)
		fi
		;;
	--known | --output | -o) _files ;;
	--policy) [[ $command == kernels ]] && compadd -- $(_mapsim_releases) || _files ;;
	*) [[ $command == kernels ]] && compadd -- $(_mapsim_releases) || _files ;;
	esac
}

_mapsim "$@"
