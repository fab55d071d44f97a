const BASH = String.raw`# Completes ncolony-ctl, and "ncolony ctl", in bash: source <(ncolony-ctl completions bash)
_ncolony_ctl() {
  local line=\${COMP_LINE:0:COMP_POINT} word cut
  local -a words program=("$1")
  # Without -r, a backslash keeps the space after it.
  read -a words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  words=("\${words[@]:1}")
  COMPREPLY=()
  if [[ \${1##*/} == ncolony ]]; then
    [[ \${words[0]} == ctl && \${#words[@]} -gt 1 ]] || return
    program+=(ctl)
    words=("\${words[@]:1}")
  fi
  # Bash replaces only what follows these.
  cut=\${words[-1]%"\${words[-1]##*[:=]}"}
  while IFS= read -r word; do
    COMPREPLY+=("$(printf %q "\${word#"$cut"}")")
  done < <("\${program[@]}" completions bash -- "\${words[@]}" 2>/dev/null)
}
complete -o default -F _ncolony_ctl ncolony-ctl ncolony`.replaceAll("\\$", "$");

const ZSH = String.raw`#compdef ncolony-ctl ncolony
# Completes ncolony-ctl, and "ncolony ctl", in zsh: source <(ncolony-ctl completions zsh)
_ncolony_ctl() {
  local -a program=("$words[1]") typed=("\${(@Q)words[2,CURRENT]}") found
  if [[ \${words[1]:t} == ncolony ]]; then
    [[ $typed[1] == ctl && $#typed -gt 1 ]] || return 1
    program+=(ctl)
    shift typed
  fi
  found=("\${(@f)$("$program[@]" completions zsh -- "$typed[@]" 2>/dev/null)}")
  if [[ -n $found[1] ]]; then
    compadd -- "$found[@]"
  else
    _files
  fi
}
compdef _ncolony_ctl ncolony-ctl ncolony`.replaceAll("\\$", "$");

/** The scripts that complete command lines, by shell. */
export const COMPLETION_SCRIPTS: Readonly<Record<string, string>> = { bash: BASH, zsh: ZSH };
