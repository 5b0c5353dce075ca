# SPDX-License-Identifier: MIT
# Completion of gemgatectl for fish. All candidates come from `gemgatectl _complete`, which asks the daemon for keys and models.

function __gemgatectl_complete
    set -l words (commandline -opc)[2..]
    set -l ask gemgatectl
    set -l verb
    set -l position 1
    set -l value no
    for word in $words
        if test $value = yes
            set ask $ask $word
            set value no
            continue
        end
        switch $word
            case '--host=*' '--machine=*' '--socket=*'
                set ask $ask $word
            case -H -M --host --machine --socket
                set ask $ask $word
                set value yes
            case '-*'
            case '*'
                if test -z "$verb"
                    set verb $word
                else
                    set position (math $position + 1)
                end
        end
    end
    if test $value = yes
        __fish_complete_path (commandline -ct)
        return
    end
    if string match -q -- '-*' (commandline -ct)
        set ask $ask _complete options
    else if test -z "$verb"
        set ask $ask _complete verbs
    else
        set ask $ask _complete $verb $position
    end
    set -l found (command $ask 2>/dev/null)
    if test "$found[1]" = :files
        __fish_complete_path (commandline -ct)
        return
    end
    printf '%s\n' $found
end

complete -c gemgatectl -f -a '(__gemgatectl_complete)'
