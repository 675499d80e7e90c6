namespace Bramble.Cli.Completion;

/// <summary>
/// The shells' side of completion. Each hands the line up to the cursor, without the command's own name (it may be
/// <c>./bramble</c> or an alias), to <c>bramble [suggest:POSITION] LINE</c>, which prints one word a line.
/// </summary>
internal static class CompletionScripts
{
    /// <summary>
    /// bash breaks words at ':' and '=' (COMP_WORDBREAKS), and replaces only what follows the last break; so what comes
    /// before it is taken off each suggestion.
    /// </summary>
    public const string Bash = """
        # bash completion for bramble; made by 'bramble completion bash'
        _bramble() {
            local line="${COMP_LINE:0:COMP_POINT}" word cut suggestion
            line="${line#"${line%%[![:space:]]*}"}"
            line="${line#*[[:space:]]}"
            word="${line##*[[:space:]]}"
            cut="${word%"${word##*[:=]}"}"
            COMPREPLY=()
            while IFS= read -r suggestion; do
                [[ "$suggestion" == "$word"* ]] && COMPREPLY+=("${suggestion#"$cut"}")
            done < <("${COMP_WORDS[0]}" "[suggest:${#line}]" "$line" 2>/dev/null)
            if [[ ${#COMPREPLY[@]} -eq 0 ]]; then compopt -o default 2>/dev/null; fi
        }
        complete -F _bramble bramble

        """;

    public const string Zsh = """
        #compdef bramble
        # zsh completion for bramble; made by 'bramble completion zsh'
        _bramble() {
            local line="${(j: :)words[2,CURRENT]}"
            local -a suggestions
            suggestions=("${(@f)$("${words[1]}" "[suggest:${#line}]" "$line" 2>/dev/null)}")
            suggestions=(${suggestions:#})
            if (( ${#suggestions} )); then compadd -- "${suggestions[@]}"; else _files; fi
        }
        if [[ "${funcstack[1]}" == _bramble ]]; then _bramble "$@"; else compdef _bramble bramble; fi

        """;

    public const string Fish = """
        # fish completion for bramble; made by 'bramble completion fish'
        function __bramble_suggest
            set -l words (commandline -opc) (commandline -ct)
            set -l line (string join ' ' -- $words[2..-1])
            $words[1] "[suggest:"(string length -- "$line")"]" "$line" 2>/dev/null
        end
        complete -c bramble -f -a '(__bramble_suggest)'
        complete -c bramble -n '__fish_seen_subcommand_from add check-config' -F

        """;
}
