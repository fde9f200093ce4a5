import path from 'node:path';
import {
  awk,
  lua,
  notebook,
  perl,
  php,
  powershell,
  python,
  ruby,
  script,
  shell,
  tcl,
  vim,
} from './line-languages/scripting.js';
import {
  assembly,
  basic,
  cLike,
  cobol,
  fortran,
  go,
  jvm,
  nim,
  pascal,
  rust,
  solidity,
  vhdl,
  zig,
} from './line-languages/compiled.js';
import { elixir, erlang, haskell, julia, lisp, matlab, ml, prolog, rLang } from './line-languages/functional.js';
import { css, graphql, markup, proto, sql, xml } from './line-languages/schemas.js';
import {
  bazel,
  cmake,
  docker,
  gradle,
  hcl,
  ini,
  json,
  just,
  make,
  nix,
  toml,
  yaml,
} from './line-languages/settings.js';
import { asciidoc, markdown, org, restructured, tex } from './line-languages/documents.js';
import { line, type LinePattern } from './line-languages/pattern.js';

/** How the files of a kind are read. */
export interface LineLanguage {
  readonly name: string;
  readonly patterns: readonly LinePattern[];
  /** Prose is cut at headings; data and settings have keys; code has blocks. */
  readonly form: 'code' | 'prose' | 'data';
}

const code = (name: string, ...patterns: readonly (readonly LinePattern[])[]): LineLanguage => ({
  name,
  patterns: patterns.flat(),
  form: 'code',
});
const data = (name: string, ...patterns: readonly (readonly LinePattern[])[]): LineLanguage => ({
  name,
  patterns: patterns.flat(),
  form: 'data',
});
const prose = (name: string, ...patterns: readonly (readonly LinePattern[])[]): LineLanguage => ({
  name,
  patterns: patterns.flat(),
  form: 'prose',
});

const languages: readonly (readonly [LineLanguage, string])[] = [
  [code('Python', python), '.py .pyi .pyw .pyx .pxd SConstruct SConscript wscript'],
  [code('JavaScript', script), '.js .mjs .cjs .jsx .ts .mts .cts .tsx .es6'],
  [code('component', script, markup), '.vue .svelte .astro'],
  [code('Go', go), '.go'],
  [code('Rust', rust), '.rs'],
  [
    code('JVM', jvm),
    '.java .kt .kts .scala .sc .cs .csx .swift .dart .groovy .gvy .hx .as .d .vala .cr .ceylon .aidl .apex .cls .trigger Jenkinsfile',
  ],
  [
    code('C', cLike),
    '.c .h .cc .cpp .cxx .c++ .hh .hpp .hxx .h++ .inl .ipp .cu .cuh .m .mm .ino .glsl .vert .frag .hlsl .metal .cl .wgsl',
  ],
  [
    code('Ruby', ruby),
    '.rb .rake .gemspec .podspec .ru Gemfile Rakefile Podfile Fastfile Vagrantfile Guardfile Brewfile',
  ],
  [code('PHP', php), '.php .phtml .php5 .inc'],
  [code('shell', shell), '.sh .bash .zsh .ksh .fish .bats .bashrc .zshrc .profile .envrc .ebuild PKGBUILD'],
  [code('PowerShell', powershell), '.ps1 .psm1 .psd1'],
  [
    code('batch', [line('label', `:(\\w+)`), line('variable', `set[ \\t]+(?:/\\w[ \\t]+)?"?(\\w+)=`, { flags: 'i' })]),
    '.bat .cmd',
  ],
  [code('Lua', lua), '.lua .luau'],
  [code('Tcl', tcl), '.tcl .tk .test'],
  [code('Perl', perl), '.pl .pm .t'],
  [code('R', rLang), '.r .rmd'],
  [code('Julia', julia), '.jl'],
  [code('Elixir', elixir), '.ex .exs'],
  [code('Erlang', erlang), '.erl .hrl'],
  [code('Haskell', haskell), '.hs .lhs .elm .purs .idr .agda'],
  [code('ML', ml), '.ml .mli .fs .fsi .fsx .re .rei .res'],
  [code('Lisp', lisp), '.clj .cljs .cljc .edn .lisp .lsp .el .scm .ss .rkt .fnl .hy'],
  [code('Zig', zig), '.zig'],
  [code('Nim', nim), '.nim .nims'],
  [code('Fortran', fortran), '.f .f90 .f95 .f03 .f08 .for'],
  [code('Pascal', pascal), '.pas .pp .dpr .lpr'],
  [code('Basic', basic), '.vb .vbs .bas .frm'],
  [code('Matlab', matlab), '.mat .matlab'],
  [code('Solidity', solidity), '.sol .vy .move .cairo'],
  [code('assembly', assembly), '.s .asm .nasm'],
  [code('SQL', sql), '.sql .ddl .dml .pgsql .plsql .psql .cql'],
  [code('proto', proto), '.proto .thrift .capnp .fbs'],
  [code('GraphQL', graphql), '.graphql .gql .graphqls'],
  [
    code('Prisma', [
      line('class', `(?:model|type|view)[ \\t]+(\\w+)`),
      line('enum', `enum[ \\t]+(\\w+)`),
      line('field', `(\\w+)[ \\t]+\\w`),
    ]),
    '.prisma',
  ],
  [code('CSS', css), '.css .scss .sass .less .styl .pcss'],
  [
    code('markup', markup),
    '.html .htm .xhtml .jinja .jinja2 .j2 .njk .hbs .handlebars .mustache .ejs .erb .twig .liquid .tmpl .gotmpl .tpl .pug .haml .razor .cshtml .jsp',
  ],
  [code('make', make), '.mk .mak Makefile makefile GNUmakefile Makefile.am Makefile.in'],
  [code('just', just), 'justfile Justfile .just'],
  [code('CMake', cmake), '.cmake CMakeLists.txt'],
  [code('Docker', docker, shell), 'Dockerfile .dockerfile Containerfile'],
  [code('Terraform', hcl), '.tf .tfvars .hcl .nomad'],
  [code('Gradle', gradle), '.gradle build.gradle.kts settings.gradle.kts'],
  [code('Nix', nix), '.nix'],
  [code('Bazel', bazel), '.bzl .bazel .star BUILD WORKSPACE Tiltfile'],
  [code('Vim', vim), '.vim .vimrc vimrc'],
  [code('awk', awk), '.awk'],
  [code('Prolog', prolog), '.pro .prolog'],
  [code('hardware', vhdl), '.vhd .vhdl .v .sv .svh'],
  [code('Cobol', cobol), '.cob .cbl .cpy'],
  [code('notebook', notebook), '.ipynb'],
  [data('YAML', yaml), '.yml .yaml .clang-format .cff'],
  [data('JSON', json), '.json .jsonc .json5 .webmanifest .geojson .babelrc .eslintrc .prettierrc'],
  [data('TOML', toml), '.toml Pipfile'],
  [
    data('settings', ini),
    '.ini .cfg .conf .cnf .properties .env .editorconfig .desktop .service .gitconfig .gitmodules .npmrc .flake8 .pylintrc .coveragerc .rc .reg .inf .plist-strings .strings .po',
  ],
  [
    data('XML', xml),
    '.xml .xsd .xsl .xslt .plist .csproj .fsproj .vbproj .props .targets .resx .storyboard .xib .xaml .axaml .svg .rss .wsdl .nuspec .config .ui .qrc .gpx',
  ],
  [prose('Markdown', markdown), '.md .markdown .mdx .qmd .rmarkdown'],
  [prose('reStructuredText', restructured), '.rst .rest .txt'],
  [prose('AsciiDoc', asciidoc), '.adoc .asciidoc .asc'],
  [prose('Org', org), '.org'],
  [prose('TeX', tex), '.tex .ltx .sty .bib'],
];

const byName = new Map<string, LineLanguage>();
for (const [language, names] of languages)
  for (const name of names.split(' ')) byName.set(name.toLowerCase(), language);

const plain: LineLanguage = { name: 'text', patterns: [], form: 'prose' };
const settings = byName.get('.conf') ?? plain;

/** How the lines of a file are read, by its name. */
export function lineLanguageOf(filePath: string): LineLanguage {
  const name = path.posix.basename(filePath).toLowerCase();
  const whole = byName.get(name);
  if (whole !== undefined) return whole;
  if (/^\.env(?:\.|$)/.test(name)) return settings;
  if (/^(?:docker|container)file\b|\.dockerfile$/.test(name)) return byName.get('dockerfile') ?? plain;
  if (/^makefile\b/.test(name)) return byName.get('.mk') ?? plain;
  return byName.get(path.posix.extname(name)) ?? (name.startsWith('.') && name.endsWith('rc') ? settings : plain);
}
