"""Which files are source code, and by what their comments of one line begin."""

_SUFFIXES = {
    "#": """.py .pyi .pyx .rb .rake .gemspec .sh .bash .zsh .fish .pl .pm .r .jl .ex .exs .nim .cr
        .coffee .tcl .awk .ps1 .psm1 .cmake .mk .nix .gd .yaml .yml .toml .conf .cfg .properties
        .graphql .gql .tf .hcl .bzl""",
    "//": """.c .h .cc .cpp .cxx .hh .hpp .hxx .cs .java .kt .kts .scala .groovy .gradle .go .rs
        .js .mjs .cjs .jsx .ts .tsx .swift .mm .dart .php .proto .thrift .zig .v .sv .cu .cuh
        .glsl .hlsl .sol .scss .less .fs .fsx .pas .cypher""",
    "--": ".sql .lua .hs .lhs .elm .adb .ads .vhd .vhdl .applescript",
    ";": ".lisp .lsp .cl .el .scm .ss .rkt .clj .cljs .cljc .edn .asm .ini",
    "%": ".m .erl .hrl .prolog",
    "!": ".f .f90 .f95 .f03 .for",
    "'": ".vb .vbs .bas",
    "": ".css .vue .svelte .ml .mli .bat .cmd .diff .patch",
}
LINE_COMMENT = {suffix: mark for mark, row in _SUFFIXES.items() for suffix in row.split()}
"""The mark that begins a comment of one line, "" where there is none of one kind, by suffix."""
