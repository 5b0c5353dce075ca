# SPDX-License-Identifier: MIT
# Completion of gemgatectl for bash. All candidates come from `gemgatectl _complete`, which asks the daemon for keys and models.

_gemgatectl() {
        local cur=${COMP_WORDS[COMP_CWORD]} word verb='' quoted candidates
        local -a ask=(gemgatectl)
        local -i i position=1

        # bash splits --host=x at the equals sign
        [[ $cur != = ]] || cur=
        for ((i = 1; i < COMP_CWORD; i++)); do
                word=${COMP_WORDS[i]}
                case $word in
                -H | -M | --host | --machine | --socket)
                        i+=1
                        [[ ${COMP_WORDS[i]} != = ]] || i+=1
                        if ((i >= COMP_CWORD)); then # the option's value is completed
                                case $word in
                                --socket)
                                        compopt -o filenames
                                        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
                                        ;;
                                -H | --host) mapfile -t COMPREPLY < <(compgen -A hostname -- "$cur") ;;
                                esac
                                return
                        fi
                        ask+=("$word" "${COMP_WORDS[i]}")
                        ;;
                -* | =) ;;
                *)
                        if [[ -z $verb ]]; then
                                verb=$word
                        else
                                position+=1
                        fi
                        ;;
                esac
        done

        if [[ $cur == -* ]]; then
                ask+=(_complete options)
        elif [[ -z $verb ]]; then
                ask+=(_complete verbs)
        else
                ask+=(_complete "$verb" "$position")
        fi
        mapfile -t candidates < <("${ask[@]}" 2>/dev/null)
        if [[ ${candidates[0]-} == :files ]]; then
                compopt -o filenames
                mapfile -t COMPREPLY < <(compgen -f -- "$cur")
                return
        fi
        COMPREPLY=()
        for word in "${candidates[@]%%$'\t'*}"; do
                printf -v quoted %q "$word"
                [[ $quoted != *'\='* ]] || quoted=$word # --host=
                [[ $word != "$cur"* && $quoted != "$cur"* ]] || COMPREPLY+=("$quoted")
        done
        [[ ${#COMPREPLY[@]} -ne 1 || ${COMPREPLY[0]} != *= ]] || compopt -o nospace
}

complete -F _gemgatectl gemgatectl
