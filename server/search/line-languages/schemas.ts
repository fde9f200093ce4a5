import { id, line } from './pattern.js';

/* How lines define names in schemas, styles and markup. */

const sqlName = String.raw`(?:[\["${'`'}]?[\w$]+[\]"${'`'}]?\.)*[\["${'`'}]?([\w$]+)`;

export const sql = [
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

export const proto = [
  line('class', `(?:message|struct|exception)[ \\t]+(${id})`),
  line('interface', `service[ \\t]+(${id})`),
  line('enum', `enum[ \\t]+(${id})`),
  line('method', `rpc[ \\t]+(${id})`),
  line('module', `(?:package|namespace[ \\t]+\\S+)[ \\t]+([\\w.]+)`),
  line('field', `(?:(?:optional|required|repeated|\\d+:)[ \\t]+)*[\\w.<>, ]+[ \\t]+(${id})[ \\t]*=[ \\t]*\\d+`),
  line('field', `(${id})[ \\t]*=[ \\t]*\\d+[ \\t]*(?:\\[.*\\])?[ \\t]*[;,]`),
];

export const graphql = [
  line('type', `(?:extend[ \\t]+)?(?:type|input|union|scalar|schema)[ \\t]+(${id})`),
  line('interface', `(?:extend[ \\t]+)?interface[ \\t]+(${id})`),
  line('enum', `(?:extend[ \\t]+)?enum[ \\t]+(${id})`),
  line('function', `(?:query|mutation|subscription|fragment|directive)[ \\t]+@?(${id})`),
  line('field', `(${id})[ \\t]*(?:\\([^)]*\\))?[ \\t]*:[ \\t]*[\\[\\w]`),
];

export const css = [
  line('selector', `@(?!media\\b|supports\\b|import\\b|charset\\b|font-face\\b|page\\b)([\\w-]+)[ \\t]*:`),
  line('selector', `--([\\w-]+)[ \\t]*:`),
  line('selector', `\\$([\\w-]+)[ \\t]*:`),
  line('function', `@(?:mixin|function|include|define-mixin)[ \\t]+([\\w-]+)`),
  line('selector', `@(?:keyframes|layer|container|property|counter-style|font-feature-values)[ \\t]+(?:--)?([\\w-]+)`),
  line('selector', `[^{}:;/*]{0,100}?[.#%]([A-Za-z_][\\w-]*)[^;]*[{,][ \\t]*$`),
  line('selector', `&?[.#%]([A-Za-z_][\\w-]*)`),
];

export const markup = [
  line('heading', `<h[1-6][^>]*>[ \\t]*([^<]{2,120})`, { flags: 'i' }),
  line('element', `[^<]*<[\\w:-]+[^>]*?\\b(?:id|x:Name|android:id|name)[ \\t]*=[ \\t]*["'](?:@\\+id/)?([^"'{}]{1,80})`),
  line('element', `<(?:template|slot|block|define|component)[^>]*name[ \\t]*=[ \\t]*["']([^"']{1,80})`),
  line('heading', `<title>[ \\t]*([^<]{2,120})`, { flags: 'i' }),
  line('element', `\\{%-?[ \\t]*(?:block|macro)[ \\t]+(\\w+)`),
  line('element', `\\{\\{-?[ \\t]*(?:define|block)[ \\t]+"([^"]{1,100})"`),
];

export const xml = [
  line('element', `<[\\w:.-]+[^>]*?\\b(?:id|name|key|Name|Key|Id|x:Name)[ \\t]*=[ \\t]*["']([^"']{1,100})`),
  line('key', `<([\\w:.-]+)>[^<]+</`),
];
