import { id, line, notNames } from './pattern.js';

/* How lines define names in scripting languages. */

export const python = [
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

export const script = [
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

export const ruby = [
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

export const php = [
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

export const shell = [
  line('function', `function[ \\t]+([\\w:.-]+)`),
  line('function', `([\\w:.-]+)[ \\t]*\\([ \\t]*\\)`),
  line('variable', `(?:export|readonly|declare(?:[ \\t]+-\\w+)*|local|typeset|set[ \\t]+-\\w+)[ \\t]+(\\w+)=?`),
  line('variable', `:[ \\t]+"?\\$\\{(\\w+):?=`),
  line('variable', `(\\w+)\\+?=`, { where: 'top' }),
  line('function', `alias[ \\t]+([\\w-]+)=`),
];

export const powershell = [
  line('function', `(?:function|filter|workflow|configuration)[ \\t]+(?:global:|script:)?([\\w-]+)`, { flags: 'i' }),
  line('class', `class[ \\t]+(\\w+)`, { flags: 'i' }),
  line('enum', `enum[ \\t]+(\\w+)`, { flags: 'i' }),
  line('variable', `\\$(?:global:|script:|env:)?(\\w+)[ \\t]*=`, { where: 'member', flags: 'i' }),
];

export const lua = [
  line('function', `(?:local[ \\t]+)?function[ \\t]+(?:[\\w.]+[.:])?(\\w+)`),
  line('function', `(?:local[ \\t]+)?(?:[\\w.]+\\.)?(\\w+)[ \\t]*=[ \\t]*function\\b`),
  line('variable', `(?:local[ \\t]+)?(?:[\\w]+\\.)?(\\w+)[ \\t]*=(?!=)`, { where: 'top' }),
];

export const tcl = [
  line('function', `(?:proc|method)[ \\t]+(?:::)?([\\w:.?!-]+)`),
  line('module', `namespace[ \\t]+eval[ \\t]+([\\w:]+)`),
  line('class', `oo::class[ \\t]+create[ \\t]+([\\w:]+)`),
  line('test', `(?:test|start_server|tags)[ \\t]+[{"]([^}"]{2,200})`),
  line('variable', `(?:set|variable)[ \\t]+(?:::)?([\\w:]+)`, { where: 'top' }),
];

export const perl = [
  line('function', `sub[ \\t]+(\\w+)`),
  line('module', `package[ \\t]+([\\w:]+)`),
  line('variable', `(?:my|our)[ \\t]+[$@%](\\w+)`, { where: 'top' }),
  line('constant', `use[ \\t]+constant[ \\t]+\\{?[ \\t]*(\\w+)`),
];

export const vim = [
  line('function', `(?:export[ \\t]+)?(?:def|function)!?[ \\t]+(?:[sgbl]:)?([\\w#.]+)`),
  line('function', `com(?:mand)?!?[ \\t]+(?:-\\S+[ \\t]+)*(\\w+)`),
  line('variable', `let[ \\t]+([\\w:#]+)`, { where: 'top' }),
];

export const awk = [
  line('function', `function[ \\t]+(\\w+)`),
  line('variable', `(\\w+)[ \\t]*=(?!=)`, { where: 'top' }),
];

export const notebook = [
  line('function', `"(?:[ ]*)(?:async[ ]+)?def[ ]+(${id})`),
  line('class', `"(?:[ ]*)class[ ]+(${id})`),
  line('heading', `"#{1,6}[ ]+(.{1,200}?)(?:\\\\n)?"`),
  line('variable', `"(${id})[ ]*=(?!=)`),
  line('function', `"[ ]*(?:${id})[ ]*<-[ ]*function\\b`),
];
