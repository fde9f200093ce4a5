import { id, line, notNames } from './pattern.js';

/* How lines define names in compiled languages. */

export const go = [
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

export const rust = [
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

export const jvm = [
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

export const cLike = [
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

export const zig = [
  line('function', `(?:pub[ \\t]+)?(?:export[ \\t]+|extern[ \\t]+|inline[ \\t]+)*fn[ \\t]+(${id})`),
  line('constant', `(?:pub[ \\t]+)?(?:const|var)[ \\t]+(${id})`, { where: 'member' }),
  line('test', `test[ \\t]+"([^"]{2,200})`),
  line('field', `(${id})[ \\t]*:[ \\t]*[\\w\\[*?]`, { where: 'member' }),
];

export const nim = [
  line('function', `(?:proc|func|method|iterator|template|macro|converter)[ \\t]+\`?(${id})`),
  line('type', `(?:type[ \\t]+)?(${id})\\*?[ \\t]*=[ \\t]*(?:ref[ \\t]+)?(?:object|enum|distinct|tuple)`),
  line('constant', `(?:const|let|var)[ \\t]+(${id})`, { where: 'top' }),
];

export const fortran = [
  line(
    'function',
    `(?:(?:recursive|pure|elemental|impure|integer|real|logical|double[ \\t]+precision|type\\([^)]*\\))(?:\\([^)]*\\))?[ \\t]+)*(?:subroutine|function)[ \\t]+(\\w+)`,
    { flags: 'i' },
  ),
  line('module', `(?:module|submodule|program)[ \\t]+(?!procedure\\b)(\\w+)`, { flags: 'i' }),
  line('class', `type(?:[ \\t]*,[^:]*::|[ \\t]*::)?[ \\t]+(\\w+)[ \\t]*$`, { flags: 'i' }),
];

export const pascal = [
  line('function', `(?:class[ \\t]+)?(?:procedure|function|constructor|destructor)[ \\t]+(?:\\w+\\.)?(\\w+)`, {
    flags: 'i',
  }),
  line('class', `(\\w+)[ \\t]*=[ \\t]*(?:packed[ \\t]+)?(?:class|record|interface|object)\\b`, { flags: 'i' }),
  line('module', `(?:unit|program|library)[ \\t]+(\\w+)`, { flags: 'i' }),
];

export const basic = [
  line(
    'function',
    `(?:(?:public|private|friend|protected|shared|static|overrides|overridable)[ \\t]+)*(?:sub|function|property(?:[ \\t]+(?:get|let|set))?)[ \\t]+(\\w+)`,
    { flags: 'i' },
  ),
  line('class', `(?:(?:public|private|friend)[ \\t]+)*(?:class|module|structure|interface|enum|type)[ \\t]+(\\w+)`, {
    flags: 'i',
  }),
];

export const solidity = [
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

export const assembly = [
  line('label', `([A-Za-z_.$][\\w.$@]*):`),
  line('constant', `\\.?(?:equ|set|define|%define|%macro|macro)[ \\t]+(\\w+)`, { flags: 'i' }),
  line('constant', `(\\w+)[ \\t]+(?:equ|macro|proc)\\b`, { flags: 'i' }),
];

export const vhdl = [
  line('class', `(?:entity|architecture|package|component|module|interface|class)[ \\t]+(\\w+)`, { flags: 'i' }),
  line('function', `(?:function|procedure|task|process)[ \\t]+(\\w+)`, { flags: 'i' }),
];

export const cobol = [
  line('module', `(?:program-id|class-id)\\.[ \\t]+([\\w-]+)`, { flags: 'i' }),
  line('function', `([\\w-]+)[ \\t]+section\\.`, { flags: 'i' }),
];
