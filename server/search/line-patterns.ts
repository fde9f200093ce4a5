import path from 'node:path';
import type { DefinitionKind } from '../contract/words.js';

/** What a line can define, in code and in every other text. */
export type LineKind =
  | DefinitionKind
  | 'heading'
  | 'key'
  | 'section'
  | 'target'
  | 'stage'
  | 'resource'
  | 'selector'
  | 'element'
  | 'table'
  | 'test'
  | 'label'
  | 'entry';

/** How a line defines a name: the pattern is tried where the line's text begins, and its first group is the name. */
export interface LinePattern {
  readonly kind: LineKind;
  readonly pattern: RegExp;
  /** `top`: only in lines that are not indented; `inner`: only in others; neither `inner` nor `member` inside of functions. */
  readonly where?: 'top' | 'member' | 'inner';
  /** It only names what its members belong to; it defines nothing itself (`impl`, `extension`). */
  readonly scope?: true;
  /** Words that look like a name there and are none. */
  readonly except?: RegExp;
}

/** Lines are read as Latin-1: bytes beyond ASCII are parts of letters. */
const id = String.raw`[A-Za-z_$\x80-\xff][\w$\x80-\xff]*`;
const dashed = String.raw`[A-Za-z_$@\x80-\xff][\w$\-\x80-\xff]*`;

function line(
  kind: LineKind,
  source: string,
  rest: Omit<LinePattern, 'kind' | 'pattern'> & { flags?: string } = {},
): LinePattern {
  const { flags = '', ...others } = rest;
  return { kind, pattern: new RegExp(source, `y${flags}`), ...others };
}

const notNames =
  /^(?:if|else|elif|for|foreach|while|switch|match|case|catch|return|throw|throws|new|do|try|with|await|yield|using|lock|sizeof|typeof|function|super|this|defined|assert|in|is|and|or|not|delete|void|elsif|unless|until|when|then|end|import|export|from|use|pub|let|const|var|val|struct|enum|class)$/;

const python = [
  line('function', `(?:async[ \\t]+)?def[ \\t]+(${id})`),
  line('class', `(?:cdef[ \\t]+)?class[ \\t]+(${id})`),
  line('function', `(?:cdef|cpdef)[ \\t]+[^=]*?(${id})[ \\t]*\\(`),
  line('type', `type[ \\t]+(${id})[ \\t]*(?:\\[.*\\])?[ \\t]*=`, { where: 'top' }),
  line('constant', `([A-Z_][A-Z0-9_]*)[ \\t]*(?::[^=]*)?=(?!=)`, { where: 'member' }),
  line('variable', `(${id})[ \\t]*(?::[^=]*)?=(?!=)`, { where: 'member' }),
  line('field', `(${id})[ \\t]*:[ \\t]*[\\w"'\\[]`, { where: 'member', except: notNames }),
];

const exported = String.raw`(?:export[ \t]+)?(?:default[ \t]+)?(?:declare[ \t]+)?`;
const scriptModifiers = String.raw`(?:(?:public|private|protected|static|readonly|async|get|set|override|abstract|declare|accessor)[ \t]+)*`;
const script = [
  line('function', `${exported}(?:async[ \\t]+)?function[ \\t]*\\*?[ \\t]*(${id})`),
  line('class', `${exported}(?:abstract[ \\t]+)?class[ \\t]+(${id})`),
  line('interface', `${exported}interface[ \\t]+(${id})`),
  line('type', `${exported}type[ \\t]+(${id})[ \\t]*(?:<.*>)?[ \\t]*=`),
  line('enum', `${exported}(?:const[ \\t]+)?enum[ \\t]+(${id})`),
  line('module', `${exported}(?:namespace|module)[ \\t]+['"]?([\\w.$/@-]+)['"]?[ \\t]*\\{`),
  line('test', String.raw`(?:describe|context|suite|it|test)(?:\.\w+)*\([ \t]*['"${'`'}]([^'"${'`'}]{2,200})`),
  line('test', String.raw`(?:await[ \t]+)?(?:t|tap)\.test\([ \t]*['"${'`'}]([^'"${'`'}]{2,200})`),
  line(
    'function',
    `${exported}(?:const|let|var)[ \\t]+(${id})[ \\t]*(?::[^=]*)?=[ \\t]*(?:async[ \\t]*)?(?:function\\b|\\([^)]*\\)[^=]{0,80}=>|${id}[ \\t]*=>|\\([^)]*$)`,
    { where: 'member' },
  ),
  line('constant', `${exported}const[ \\t]+(${id})(?![\\w$]|[ \\t]*=[ \\t]*(?:await[ \\t]+)?(?:require|import)\\()`, {
    where: 'top',
  }),
  line('variable', `${exported}(?:let|var)[ \\t]+(${id})(?![\\w$]|[ \\t]*=[ \\t]*require\\()`, { where: 'top' }),
  line('function', `(?:module\\.)?exports\\.(${id})[ \\t]*=(?!=)`),
  line('function', `(?:[\\w$]+\\.)+(${id})[ \\t]*=[ \\t]*(?:async[ \\t]+)?(?:function\\b|\\([^)]*\\)[ \\t]*=>)`),
  line('method', `(?:['"]?)(${id})(?:['"]?)[ \\t]*:[ \\t]*(?:async[ \\t]+)?(?:function\\b|\\([^)]*\\)[^=,;]{0,80}=>)`),
  line('method', `${scriptModifiers}\\*?[ \\t]*(#?${id})[ \\t]*(?:<[^>(]*>)?\\([^;]*\\)[^;]*\\{[ \\t]*$`, {
    where: 'inner',
    except: notNames,
  }),
  line('method', `${scriptModifiers}\\*?[ \\t]*(#?${id})[ \\t]*(?:<[^>(]*>)?\\([ \\t]*$`, {
    where: 'inner',
    except: notNames,
  }),
  line(
    'field',
    `(?:(?:public|private|protected|static|readonly|declare|override)[ \\t]+)*(#?${id})[?!]?[ \\t]*[:=](?![:=])`,
    { where: 'inner', except: notNames },
  ),
];

const go = [
  line('function', `func[ \\t]+(${id})`),
  line('method', `func[ \\t]*\\([^)]*\\)[ \\t]*(${id})`),
  line('class', `type[ \\t]+(${id})[ \\t]*(?:\\[.*\\][ \\t]*)?struct\\b`),
  line('interface', `type[ \\t]+(${id})[ \\t]*(?:\\[.*\\][ \\t]*)?interface\\b`),
  line('type', `type[ \\t]+(${id})`),
  line('constant', `const[ \\t]+(${id})`),
  line('variable', `var[ \\t]+(${id})`, { where: 'member' }),
  line('constant', `(${id})[ \\t]+(?:[\\w.\\[\\]*]+[ \\t]+)?=[ \\t]`, { where: 'member', except: notNames }),
  line('field', `(${id})[ \\t]+[\\w.\\[\\]*(){}]+(?:[ \\t]+\`.*)?[ \\t]*(?://.*)?$`, {
    where: 'member',
    except: notNames,
  }),
];

const rustVisible = String.raw`(?:pub(?:\([^)]*\))?[ \t]+)?`;
const rust = [
  line('function', `${rustVisible}(?:(?:default|const|async|unsafe|extern|"[^"]*")[ \\t]+)*fn[ \\t]+(${id})`),
  line('class', `${rustVisible}(?:struct|union)[ \\t]+(${id})`),
  line('enum', `${rustVisible}enum[ \\t]+(${id})`),
  line('interface', `${rustVisible}(?:unsafe[ \\t]+)?trait[ \\t]+(${id})`),
  line('type', `${rustVisible}type[ \\t]+(${id})`),
  line('module', `${rustVisible}mod[ \\t]+(${id})`),
  line('constant', `${rustVisible}(?:const|static)[ \\t]+(?:mut[ \\t]+)?(${id})[ \\t]*:`),
  line('function', `(?:pub[ \\t]+)?macro_rules![ \\t]*(${id})`),
  line(
    'class',
    `(?:unsafe[ \\t]+)?impl\\b(?:<[^{]*?>)?[ \\t]*(?:[^{]*?\\bfor[ \\t]+)?(?:&(?:'\\w+[ \\t]+)?)?(?:[\\w]+::)*(${id})`,
    { scope: true },
  ),
  line('field', `${rustVisible}(${id})[ \\t]*:[ \\t]*[&\\w(\\[<]`, { where: 'member', except: notNames }),
  line('field', `([A-Z]\\w*)[ \\t]*(?:\\(.*\\)|\\{.*)?(?:=.*)?,?[ \\t]*(?://.*)?$`, { where: 'member' }),
];

/** Modifiers of Java, Kotlin, Scala, C#, Swift, Dart and Groovy, annotations included. */
const modifiers = String.raw`(?:(?:@[\w.]+(?:\([^)]*\))?|public|private|protected|internal|fileprivate|open|static|final|abstract|sealed|partial|override|virtual|async|data|inline|suspend|operator|infix|tailrec|external|expect|actual|inner|lateinit|const|readonly|native|synchronized|default|transient|volatile|unsafe|extern|implicit|lazy|case|companion|mutating|nonmutating|convenience|required|class|indirect|value|annotation|base|mixin|interface|late|var|factory|strictfp|def|file|ref)[ \t]+)*`;
const jvm = [
  line('class', `${modifiers}(?:class|object|struct|record|actor|mixin|record[ \\t]+(?:class|struct))[ \\t]+(${id})`),
  line('interface', `${modifiers}@?(?:interface|trait|protocol|annotation)[ \\t]+(${id})`),
  line('enum', `${modifiers}enum(?:[ \\t]+class)?[ \\t]+(${id})`),
  line('class', `${modifiers}(?:extension|extension[ \\t]+type)[ \\t]+(${id})`, { scope: true }),
  line('module', `(?:namespace|package|object)[ \\t]+([\\w.]+)`),
  line(
    'function',
    `${modifiers}(?:fun|func|def|init|deinit|subscript)\\b[ \\t]*(?:<[^>]*>[ \\t]*)?(?:[\\w.<>?]+\\.)?(\`[^\`]+\`|${id})`,
  ),
  line('type', `${modifiers}(?:typealias|type|typedef|delegate[ \\t]+[\\w<>\\[\\].?]+)[ \\t]+(${id})`),
  line('constant', `${modifiers}(?:val|let|final|const)[ \\t]+(?:[\\w<>\\[\\].?]+[ \\t]+)?(${id})[ \\t]*[:=]`, {
    where: 'member',
  }),
  line('field', `${modifiers}(?:var|val|let)[ \\t]+(${id})`, { where: 'member' }),
  line(
    'method',
    `${modifiers}(?:<[^>]*>[ \\t]*)?[\\w<>\\[\\],.?]+(?:<[^()]*>)?(?:\\[\\])*[ \\t]+(${id})[ \\t]*\\([^;=]*$`,
    { where: 'member', except: notNames },
  ),
  line('method', `${modifiers}(${id})[ \\t]*\\([^;=]*\\)[^;=]*\\{[ \\t]*$`, { where: 'member', except: notNames }),
  line('method', `${modifiers}[\\w<>\\[\\],.?]+[ \\t]+(${id})[ \\t]*\\([^=]*\\)[ \\t]*(?:throws[^;]*)?;[ \\t]*$`, {
    where: 'member',
    except: notNames,
  }),
  line('field', `${modifiers}[\\w<>\\[\\],.?]+[ \\t]+(${id})[ \\t]*(?:[=;]|\\{[ \\t]*get\\b|=>)`, {
    where: 'member',
    except: notNames,
  }),
  line('field', `([A-Z][A-Z0-9_]*)[ \\t]*(?:\\([^)]*\\))?[ \\t]*[,;{]?[ \\t]*$`, { where: 'member' }),
];

const cLike = [
  line('constant', `#[ \\t]*define[ \\t]+(${id})(?![\\w(])`),
  line('function', `#[ \\t]*define[ \\t]+(${id})\\(`),
  line('module', `(?:inline[ \\t]+)?namespace[ \\t]+([\\w:]+)`),
  line(
    'class',
    `(?:typedef[ \\t]+)?(?:template[ \\t]*<[^{]*>[ \\t]*)?(?:class|struct|union|@interface|@implementation|@protocol)[ \\t]+(?:\\w+\\([^)]*\\)[ \\t]+|[A-Z_]+[ \\t]+)?(${id})(?:[ \\t]+final)?[ \\t]*(?:[:{]|$)`,
  ),
  line('enum', `(?:typedef[ \\t]+)?enum(?:[ \\t]+class)?[ \\t]+(${id})[^;(]*$`),
  line('type', `typedef[ \\t][^;{]*?(${id})[ \\t]*(?:\\[[^\\]]*\\])?;`),
  line('type', `typedef[ \\t][^;{]*\\([ \\t]*\\*[ \\t]*(${id})[ \\t]*\\)`),
  line('type', `using[ \\t]+(${id})[ \\t]*=`),
  line('class', `\\}[ \\t]*(?:\\w+\\([^)]*\\)[ \\t]*)?(${id})[ \\t]*;`, { where: 'top' }),
  line(
    'function',
    `(?!else\\b|return\\b|typedef\\b|using\\b|goto\\b)(?:[\\w:<>,~\\[\\]]+[ \\t*&]+)*(?:(?:[\\w<>]+::)*)(~?${id})[ \\t]*\\([^;]*$`,
    { where: 'member', except: notNames },
  ),
  line(
    'function',
    `(?!else\\b|return\\b|typedef\\b|using\\b|goto\\b)(?:[\\w:<>,~\\[\\]]+[ \\t*&]+)+(?:(?:[\\w<>]+::)*)(~?${id})[ \\t]*\\([^;]*\\{`,
    { where: 'member', except: notNames },
  ),
  line(
    'variable',
    `(?:(?:static|const|extern|constexpr|inline|volatile|unsigned|signed|struct|enum)[ \\t]+)*[\\w:<>]+[ \\t*&]+(${id})(?:\\[[^\\]]*\\])*[ \\t]*=[^=]`,
    { where: 'top' },
  ),
  line(
    'field',
    `(?:(?:static|const|volatile|unsigned|signed|struct|enum|mutable)[ \\t]+)*[\\w:<>]+[ \\t*&]+(${id})(?:\\[[^\\]]*\\])*[ \\t]*(?::[ \\t]*\\d+[ \\t]*)?(?:=[^;]*)?;`,
    { where: 'member', except: notNames },
  ),
  line('field', `([A-Z][A-Z0-9_]+)[ \\t]*(?:=[^,]*)?,?[ \\t]*(?:/[/*].*)?$`, { where: 'member' }),
  line('method', `[-+][ \\t]*\\([^)]*\\)[ \\t]*(${id})`, { where: 'top' }),
];

const ruby = [
  line(
    'function',
    `(?:private[ \\t]+|protected[ \\t]+|public[ \\t]+|private_class_method[ \\t]+)?(?:def|macro)[ \\t]+(?:self\\.|[A-Z]\\w*\\.)?(${id}[?!=]?)`,
  ),
  line('class', `(?:abstract[ \\t]+)?(?:class|struct|enum|lib)[ \\t]+(?:[A-Z]\\w*::)*([A-Z]\\w*)`),
  line('module', `module[ \\t]+(?:[A-Z]\\w*::)*([A-Z]\\w*)`),
  line('test', String.raw`(?:describe|context|it|specify|test|feature|scenario)[ \t(]+['"]([^'"]{2,200})`),
  line('constant', `([A-Z]\\w*)[ \\t]*=(?![=~])`, { where: 'member' }),
  line('field', `attr_(?:accessor|reader|writer)[ \\t]+:(\\w+)`),
  line(
    'method',
    `(?:define_method|scope|alias_method|has_many|has_one|belongs_to|property|getter)[ \\t(]+:(\\w+[?!]?)`,
  ),
  line('target', `(?:multi)?task[ \\t(]+:?['"]?(\\w+)`),
];

const php = [
  line('function', `(?:(?:public|private|protected|static|final|abstract)[ \\t]+)*function[ \\t]+&?(${id})`),
  line('class', `(?:(?:final|abstract|readonly)[ \\t]+)*(?:class|trait)[ \\t]+(${id})`),
  line('interface', `interface[ \\t]+(${id})`),
  line('enum', `enum[ \\t]+(${id})`),
  line('module', `namespace[ \\t]+([\\w\\\\]+)`),
  line('constant', `(?:(?:public|private|protected|final)[ \\t]+)*const[ \\t]+(?:\\w+[ \\t]+)?(${id})[ \\t]*=`),
  line('constant', `define\\([ \\t]*['"](\\w+)`),
  line('field', `(?:(?:public|private|protected|static|readonly|var)[ \\t]+)+(?:[?\\w\\\\|]+[ \\t]+)?\\$(\\w+)`),
  line('field', `case[ \\t]+(${id})`, { where: 'member' }),
];

const shell = [
  line('function', `function[ \\t]+([\\w:.-]+)`),
  line('function', `([\\w:.-]+)[ \\t]*\\([ \\t]*\\)`),
  line('variable', `(?:export|readonly|declare(?:[ \\t]+-\\w+)*|local|typeset|set[ \\t]+-\\w+)[ \\t]+(\\w+)=?`),
  line('variable', `:[ \\t]+"?\\$\\{(\\w+):?=`),
  line('variable', `(\\w+)\\+?=`, { where: 'top' }),
  line('function', `alias[ \\t]+([\\w-]+)=`),
];

const powershell = [
  line('function', `(?:function|filter|workflow|configuration)[ \\t]+(?:global:|script:)?([\\w-]+)`, { flags: 'i' }),
  line('class', `class[ \\t]+(\\w+)`, { flags: 'i' }),
  line('enum', `enum[ \\t]+(\\w+)`, { flags: 'i' }),
  line('variable', `\\$(?:global:|script:|env:)?(\\w+)[ \\t]*=`, { where: 'member', flags: 'i' }),
];

const lua = [
  line('function', `(?:local[ \\t]+)?function[ \\t]+(?:[\\w.]+[.:])?(\\w+)`),
  line('function', `(?:local[ \\t]+)?(?:[\\w.]+\\.)?(\\w+)[ \\t]*=[ \\t]*function\\b`),
  line('variable', `(?:local[ \\t]+)?(?:[\\w]+\\.)?(\\w+)[ \\t]*=(?!=)`, { where: 'top' }),
];

const tcl = [
  line('function', `(?:proc|method)[ \\t]+(?:::)?([\\w:.?!-]+)`),
  line('module', `namespace[ \\t]+eval[ \\t]+([\\w:]+)`),
  line('class', `oo::class[ \\t]+create[ \\t]+([\\w:]+)`),
  line('test', `(?:test|start_server|tags)[ \\t]+[{"]([^}"]{2,200})`),
  line('variable', `(?:set|variable)[ \\t]+(?:::)?([\\w:]+)`, { where: 'top' }),
];

const perl = [
  line('function', `sub[ \\t]+(\\w+)`),
  line('module', `package[ \\t]+([\\w:]+)`),
  line('variable', `(?:my|our)[ \\t]+[$@%](\\w+)`, { where: 'top' }),
  line('constant', `use[ \\t]+constant[ \\t]+\\{?[ \\t]*(\\w+)`),
];

const rLang = [
  line('function', `['"\`]?([\\w.]+)['"\`]?[ \\t]*(?:<-|=)[ \\t]*function\\b`),
  line('class', `(?:setClass|setRefClass|R6Class)\\([ \\t]*['"](\\w+)`),
  line('function', `(?:setMethod|setGeneric)\\([ \\t]*['"](\\w+)`),
  line('variable', `([\\w.]+)[ \\t]*<-`, { where: 'top' }),
];

const julia = [
  line('function', `(?:@\\w+[ \\t]+)?(?:function|macro)[ \\t]+(?:\\w+\\.)?(${id}!?)`),
  line(
    'class',
    `(?:mutable[ \\t]+|abstract[ \\t]+type[ \\t]+|primitive[ \\t]+type[ \\t]+)?(?:struct|type)[ \\t]+(${id})`,
  ),
  line('module', `(?:bare)?module[ \\t]+(${id})`),
  line('function', `(${id}!?)\\([^)]*\\)(?:::[\\w{}]+)?[ \\t]*=(?!=)`, { where: 'top' }),
  line('constant', `(?:const[ \\t]+)?(${id})[ \\t]*=(?!=)`, { where: 'top' }),
];

const elixir = [
  line('module', `(?:defmodule|defprotocol)[ \\t]+([\\w.]+)`),
  line('function', `(?:def|defp|defmacro|defmacrop|defguard|defdelegate|defcallback)[ \\t]+(\\w+[?!]?)`),
  line('test', `(?:test|describe)[ \\t]+"([^"]{2,200})`),
  line('constant', `@(\\w+)[ \\t]+[^ \\t]`, {
    where: 'member',
    except: /^(?:doc|moduledoc|spec|type|impl|callback|behaviour)$/,
  }),
];

const erlang = [
  line('module', `-module\\((\\w+)`),
  line('constant', `-define\\((\\w+)`),
  line('class', `-record\\((\\w+)`),
  line('function', `([a-z]\\w*)\\([^)]*\\).*->`, { where: 'top' }),
];

const haskell = [
  line('module', `module[ \\t]+([\\w.]+)`),
  line('class', `(?:data|newtype|class|instance)[ \\t]+(?:[^=]*=>[ \\t]*)?([A-Z]\\w*)`),
  line('type', `type[ \\t]+(?:family[ \\t]+)?([A-Z]\\w*)`),
  line('function', `([a-z_][\\w']*)(?:[ \\t]*,[ \\t]*[\\w']+)*[ \\t]*::`),
  line('function', `([a-z_][\\w']*)[ \\t]+[^=|]*=(?![=>])`, { where: 'top', except: notNames }),
];

const ml = [
  line(
    'function',
    `(?:let|and|val|external)[ \\t]+(?:rec[ \\t]+|inline[ \\t]+|mutable[ \\t]+)*(?:[a-z]\\w*\\.)?(${id})`,
    { where: 'member' },
  ),
  line('type', `(?:type|and)[ \\t]+(?:'\\w+[ \\t]+|\\([^)]*\\)[ \\t]+)?(${id})`),
  line('module', `(?:module|namespace)[ \\t]+(?:type[ \\t]+|rec[ \\t]+)?([\\w.]+)`),
  line('method', `(?:static[ \\t]+)?(?:member|override|method)[ \\t]+(?:\\w+\\.)?(${id})`),
  line('class', `(?:class|exception)[ \\t]+(${id})`),
];

const lispName = String.raw`([^\s()\[\]{}"';]+)`;
const lisp = [
  line(
    'function',
    `\\((?:cl-)?(?:defn-?|defun|defmacro|defmulti|defmethod|defgeneric|defsubst|define-syntax|define-macro)[ \\t]+(?:\\^\\S+[ \\t]+)*${lispName}`,
  ),
  line('function', `\\(define[ \\t]+\\(${lispName}`),
  line(
    'class',
    `\\((?:defrecord|deftype|defprotocol|defstruct|defclass|cl-defstruct|define-record-type)[ \\t]+\\(?${lispName}`,
  ),
  line(
    'constant',
    `\\((?:def|defonce|defvar|defvar-local|defconst|defparameter|defconstant|defcustom|define)[ \\t]+(?:\\^\\S+[ \\t]+)*${lispName}`,
  ),
  line('module', `\\((?:ns|in-ns|defpackage|library|define-module)[ \\t]+\\(?:?${lispName}`),
  line('test', `\\((?:deftest|ert-deftest|define-test)[ \\t]+${lispName}`),
];

const zig = [
  line('function', `(?:pub[ \\t]+)?(?:export[ \\t]+|extern[ \\t]+|inline[ \\t]+)*fn[ \\t]+(${id})`),
  line('constant', `(?:pub[ \\t]+)?(?:const|var)[ \\t]+(${id})`, { where: 'member' }),
  line('test', `test[ \\t]+"([^"]{2,200})`),
  line('field', `(${id})[ \\t]*:[ \\t]*[\\w\\[*?]`, { where: 'member' }),
];

const nim = [
  line('function', `(?:proc|func|method|iterator|template|macro|converter)[ \\t]+\`?(${id})`),
  line('type', `(?:type[ \\t]+)?(${id})\\*?[ \\t]*=[ \\t]*(?:ref[ \\t]+)?(?:object|enum|distinct|tuple)`),
  line('constant', `(?:const|let|var)[ \\t]+(${id})`, { where: 'top' }),
];

const fortran = [
  line(
    'function',
    `(?:(?:recursive|pure|elemental|impure|integer|real|logical|double[ \\t]+precision|type\\([^)]*\\))(?:\\([^)]*\\))?[ \\t]+)*(?:subroutine|function)[ \\t]+(\\w+)`,
    { flags: 'i' },
  ),
  line('module', `(?:module|submodule|program)[ \\t]+(?!procedure\\b)(\\w+)`, { flags: 'i' }),
  line('class', `type(?:[ \\t]*,[^:]*::|[ \\t]*::)?[ \\t]+(\\w+)[ \\t]*$`, { flags: 'i' }),
];

const pascal = [
  line('function', `(?:class[ \\t]+)?(?:procedure|function|constructor|destructor)[ \\t]+(?:\\w+\\.)?(\\w+)`, {
    flags: 'i',
  }),
  line('class', `(\\w+)[ \\t]*=[ \\t]*(?:packed[ \\t]+)?(?:class|record|interface|object)\\b`, { flags: 'i' }),
  line('module', `(?:unit|program|library)[ \\t]+(\\w+)`, { flags: 'i' }),
];

const basic = [
  line(
    'function',
    `(?:(?:public|private|friend|protected|shared|static|overrides|overridable)[ \\t]+)*(?:sub|function|property(?:[ \\t]+(?:get|let|set))?)[ \\t]+(\\w+)`,
    { flags: 'i' },
  ),
  line('class', `(?:(?:public|private|friend)[ \\t]+)*(?:class|module|structure|interface|enum|type)[ \\t]+(\\w+)`, {
    flags: 'i',
  }),
];

const matlab = [
  line('function', `function[ \\t]+(?:[^=]*=[ \\t]*)?([\\w.]+)`),
  line('class', `classdef[ \\t]+(?:\\([^)]*\\)[ \\t]*)?(\\w+)`),
];

const solidity = [
  line('class', `(?:abstract[ \\t]+)?(?:contract|library|struct)[ \\t]+(${id})`),
  line('interface', `interface[ \\t]+(${id})`),
  line('enum', `enum[ \\t]+(${id})`),
  line('function', `(?:function|modifier|event|error|constructor)[ \\t]+(${id})`),
  line(
    'field',
    `(?:mapping\\(.*\\)|[\\w\\[\\].]+)[ \\t]+(?:(?:public|private|internal|constant|immutable)[ \\t]+)*(${id})[ \\t]*[;=]`,
    { where: 'member', except: notNames },
  ),
];

const assembly = [
  line('label', `([A-Za-z_.$][\\w.$@]*):`),
  line('constant', `\\.?(?:equ|set|define|%define|%macro|macro)[ \\t]+(\\w+)`, { flags: 'i' }),
  line('constant', `(\\w+)[ \\t]+(?:equ|macro|proc)\\b`, { flags: 'i' }),
];

const sqlName = String.raw`(?:[\["${'`'}]?[\w$]+[\]"${'`'}]?\.)*[\["${'`'}]?([\w$]+)`;
const sql = [
  line(
    'table',
    `create[ \\t]+(?:or[ \\t]+(?:replace|alter)[ \\t]+)?(?:(?:global|local|temp|temporary|unlogged|external|materialized|unique|clustered|recursive|foreign|editionable|algorithm=\\w+)[ \\t]+)*(?:table|view|index|sequence|schema|database|type|domain|extension|synonym|role|user|policy)[ \\t]+(?:concurrently[ \\t]+)?(?:if[ \\t]+not[ \\t]+exists[ \\t]+)?${sqlName}`,
    { flags: 'i' },
  ),
  line(
    'function',
    `create[ \\t]+(?:or[ \\t]+(?:replace|alter)[ \\t]+)?(?:(?:definer[ \\t]*=[ \\t]*\\S+|aggregate|constraint|editionable)[ \\t]+)*(?:function|procedure|proc|trigger|package|event|rule)[ \\t]+(?:body[ \\t]+)?(?:if[ \\t]+not[ \\t]+exists[ \\t]+)?${sqlName}`,
    { flags: 'i' },
  ),
  line('table', `alter[ \\t]+(?:table|view)[ \\t]+(?:if[ \\t]+exists[ \\t]+)?(?:only[ \\t]+)?${sqlName}`, {
    flags: 'i',
  }),
  line('table', `(?:with[ \\t]+)?["\`]?(\\w+)["\`]?[ \\t]+as[ \\t]*\\([ \\t]*$`, { flags: 'i' }),
  line(
    'field',
    `["\`\\[]?(\\w+)["\`\\]]?[ \\t]+(?:(?:small|big|tiny)?int(?:eger)?|(?:big|small)?serial|(?:n?var)?char(?:acter)?|text|uuid|bool(?:ean)?|date(?:time)?|time(?:stamp(?:tz)?)?|numeric|decimal|float|double|real|jsonb?|bytea|blob|enum|money|inet|bit)\\b`,
    { flags: 'i' },
  ),
];

const proto = [
  line('class', `(?:message|struct|exception)[ \\t]+(${id})`),
  line('interface', `service[ \\t]+(${id})`),
  line('enum', `enum[ \\t]+(${id})`),
  line('method', `rpc[ \\t]+(${id})`),
  line('module', `(?:package|namespace[ \\t]+\\S+)[ \\t]+([\\w.]+)`),
  line('field', `(?:(?:optional|required|repeated|\\d+:)[ \\t]+)*[\\w.<>, ]+[ \\t]+(${id})[ \\t]*=[ \\t]*\\d+`),
  line('field', `(${id})[ \\t]*=[ \\t]*\\d+[ \\t]*(?:\\[.*\\])?[ \\t]*[;,]`),
];

const graphql = [
  line('type', `(?:extend[ \\t]+)?(?:type|input|union|scalar|schema)[ \\t]+(${id})`),
  line('interface', `(?:extend[ \\t]+)?interface[ \\t]+(${id})`),
  line('enum', `(?:extend[ \\t]+)?enum[ \\t]+(${id})`),
  line('function', `(?:query|mutation|subscription|fragment|directive)[ \\t]+@?(${id})`),
  line('field', `(${id})[ \\t]*(?:\\([^)]*\\))?[ \\t]*:[ \\t]*[\\[\\w]`),
];

const css = [
  line('selector', `@(?!media\\b|supports\\b|import\\b|charset\\b|font-face\\b|page\\b)([\\w-]+)[ \\t]*:`),
  line('selector', `--([\\w-]+)[ \\t]*:`),
  line('selector', `\\$([\\w-]+)[ \\t]*:`),
  line('function', `@(?:mixin|function|include|define-mixin)[ \\t]+([\\w-]+)`),
  line('selector', `@(?:keyframes|layer|container|property|counter-style|font-feature-values)[ \\t]+(?:--)?([\\w-]+)`),
  line('selector', `[^{}:;/*]{0,100}?[.#%]([A-Za-z_][\\w-]*)[^;]*[{,][ \\t]*$`),
  line('selector', `&?[.#%]([A-Za-z_][\\w-]*)`),
];

const markup = [
  line('heading', `<h[1-6][^>]*>[ \\t]*([^<]{2,120})`, { flags: 'i' }),
  line('element', `[^<]*<[\\w:-]+[^>]*?\\b(?:id|x:Name|android:id|name)[ \\t]*=[ \\t]*["'](?:@\\+id/)?([^"'{}]{1,80})`),
  line('element', `<(?:template|slot|block|define|component)[^>]*name[ \\t]*=[ \\t]*["']([^"']{1,80})`),
  line('heading', `<title>[ \\t]*([^<]{2,120})`, { flags: 'i' }),
  line('element', `\\{%-?[ \\t]*(?:block|macro)[ \\t]+(\\w+)`),
  line('element', `\\{\\{-?[ \\t]*(?:define|block)[ \\t]+"([^"]{1,100})"`),
];

const make = [
  line('function', `define[ \\t]+([\\w.%-]+)`),
  line('variable', `(?:export[ \\t]+|override[ \\t]+)?([\\w.-]+)[ \\t]*[:?+!]{0,2}=`, { where: 'top' }),
  line('target', `([\\w./%$(){}-]+)(?:[ \\t]+[\\w./%$(){}-]+)*[ \\t]*::?(?!=)`, {
    where: 'top',
    except: /^\.(?:PHONY|SUFFIXES|DEFAULT|PRECIOUS|SILENT|NOTPARALLEL|ONESHELL|SECONDARY|DELETE_ON_ERROR)$/,
  }),
];

const just = [
  line('target', `@?([\\w-]+)(?:[ \\t]+[^:=]*)?:(?!=)`, { where: 'top' }),
  line('variable', `(?:export[ \\t]+)?([\\w-]+)[ \\t]*:=`, { where: 'top' }),
];

const cmake = [
  line('function', `(?:function|macro)[ \\t]*\\([ \\t]*(\\w+)`, { flags: 'i' }),
  line(
    'target',
    `(?:add_library|add_executable|add_custom_target|add_test|project|qt_add_executable|ament_add_gtest)[ \\t]*\\([ \\t]*(?:NAME[ \\t]+)?([\\w.-]+)`,
    { flags: 'i' },
  ),
  line('variable', `(?:set|option)[ \\t]*\\([ \\t]*(\\w+)`, { flags: 'i' }),
  line('target', `\\w+\\([ \\t]*([\\w-]+)[ \\t]*$`, { flags: 'i' }),
];

const docker = [
  line('stage', `from[ \\t]+\\S+[ \\t]+as[ \\t]+([\\w.-]+)`, { flags: 'i' }),
  line('variable', `(?:arg|env|label)[ \\t]+([\\w.-]+)`, { flags: 'i' }),
];

const yaml = [
  line('key', `(?:-[ \\t]+)*["']?([\\w$@/.{}*\\x80-\\xff-][\\w$@/.{}* \\x80-\\xff-]{0,80}?)["']?[ \\t]*:(?:[ \\t]|$)`),
  line('label', `(?:-[ \\t]+)?[\\w-]+:[ \\t]+&([\\w-]+)`),
];
const json = [line('key', `"([^"\\\\]{1,100})"[ \\t]*:`)];
const toml = [
  line('section', `\\[\\[?[ \\t]*["']?([^\\]"'\\s][^\\]"']{0,99})["']?[ \\t]*\\]\\]?`),
  line('key', `["']?(${dashed})["']?(?:\\.[\\w.-]+)?[ \\t]*=`),
];
const ini = [
  line(
    'section',
    `(?:upstream|location|server|zone|frontend|backend|listen|defaults|match|class)[ \\t]+([^{\\s]{1,100})[ \\t]*\\{?[ \\t]*$`,
  ),
  line('section', `\\[[ \\t]*([^\\]\\s][^\\]]{0,99})\\]`),
  line('key', `(?:export[ \\t]+)?([\\w.$-]+)[ \\t]*[=:]`),
  line('key', `([a-z][\\w-]*-[\\w-]+)[ \\t]+\\S`),
  line('key', `([a-z][\\w-]{2,})[ \\t]+(?:\\d\\S*|yes|no|on|off|true|false|"[^"]*")[ \\t]*;?$`),
];
const hcl = [
  line('resource', `(?:resource|data)[ \\t]+"[^"]+"[ \\t]+"([^"]+)"`),
  line(
    'resource',
    `(?:variable|module|output|provider|backend|source|build|job|group|task|service|target|function)[ \\t]+"([^"]+)"`,
  ),
  line('key', `(${dashed})[ \\t]*=(?!=)`),
];
const gradle = [
  line('target', `(?:tasks\\.(?:register|create|named)(?:<\\w+>)?\\([ \\t]*|task[ \\t]+\\(?)["']?(\\w+)`),
  line('target', `val[ \\t]+(\\w+)[ \\t]+by[ \\t]+(?:tasks|configurations)`),
  line('function', `(?:fun|def)[ \\t]+(?:\\w+[ \\t]+)?(\\w+)[ \\t]*\\(`),
  line('variable', `(?:val|var|def|ext\\.)[ \\t]*(\\w+)[ \\t]*=`),
  line('key', `(\\w+)[ \\t]*(?:=(?!=)|\\{[ \\t]*$|\\.set\\()`),
];
const nix = [
  line('key', `([\\w.'-]+)[ \\t]*=(?!=)`),
  line('function', `([\\w'-]+)[ \\t]*=[ \\t]*(?:\\{[^}]*\\}|\\w+)[ \\t]*:`),
];
const bazel = [line('target', `name[ \\t]*=[ \\t]*"([^"]+)"`), ...python];
const xml = [
  line('element', `<[\\w:.-]+[^>]*?\\b(?:id|name|key|Name|Key|Id|x:Name)[ \\t]*=[ \\t]*["']([^"']{1,100})`),
  line('key', `<([\\w:.-]+)>[^<]+</`),
];

const markdown = [
  line('heading', `#{1,6}[ \\t]+(.{1,200}?)[ \\t#]*$`),
  line('heading', `<h[1-6][^>]*>[ \\t]*([^<]{2,120})`, { flags: 'i' }),
];
const restructured = [
  line('label', `\\.\\.[ \\t]+_([^:]{1,100}):`),
  line(
    'entry',
    `\\.\\.[ \\t]+(?:\\w+:)?(?:auto)?(?:class|function|method|attribute|data|exception|module|macro|type|member|decorator|property|envvar|option|confval)::[ \\t]+(?:[\\w.]+\\.)?([\\w-]+)`,
  ),
];
const asciidoc = [line('heading', `={1,6}[ \\t]+(.{1,200}?)[ \\t=]*$`), line('label', `\\[\\[([^\\]]{1,100})\\]\\]`)];
const org = [line('heading', `\\*{1,8}[ \\t]+(?:TODO |DONE )?(.{1,200})$`)];
const tex = [
  line(
    'heading',
    `\\\\(?:part|chapter|section|subsection|subsubsection|paragraph)\\*?(?:\\[[^\\]]*\\])?\\{([^}]{1,200})`,
  ),
  line(
    'function',
    `\\\\(?:newcommand|renewcommand|providecommand|newenvironment|DeclareMathOperator)\\*?\\{?\\\\?(\\w+)`,
  ),
  line('label', `.{0,200}?\\\\label\\{([^}]{1,100})`),
];
const notebook = [
  line('function', `"(?:[ ]*)(?:async[ ]+)?def[ ]+(${id})`),
  line('class', `"(?:[ ]*)class[ ]+(${id})`),
  line('heading', `"#{1,6}[ ]+(.{1,200}?)(?:\\\\n)?"`),
  line('variable', `"(${id})[ ]*=(?!=)`),
  line('function', `"[ ]*(?:${id})[ ]*<-[ ]*function\\b`),
];
const vim = [
  line('function', `(?:export[ \\t]+)?(?:def|function)!?[ \\t]+(?:[sgbl]:)?([\\w#.]+)`),
  line('function', `com(?:mand)?!?[ \\t]+(?:-\\S+[ \\t]+)*(\\w+)`),
  line('variable', `let[ \\t]+([\\w:#]+)`, { where: 'top' }),
];
const awk = [line('function', `function[ \\t]+(\\w+)`), line('variable', `(\\w+)[ \\t]*=(?!=)`, { where: 'top' })];
const prolog = [line('function', `([a-z]\\w*)\\(`, { where: 'top' })];
const vhdl = [
  line('class', `(?:entity|architecture|package|component|module|interface|class)[ \\t]+(\\w+)`, { flags: 'i' }),
  line('function', `(?:function|procedure|task|process)[ \\t]+(\\w+)`, { flags: 'i' }),
];
const cobol = [
  line('module', `(?:program-id|class-id)\\.[ \\t]+([\\w-]+)`, { flags: 'i' }),
  line('function', `([\\w-]+)[ \\t]+section\\.`, { flags: 'i' }),
];

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
