import { dashed, line } from './pattern.js';
import { python } from './scripting.js';

/* How lines define names in settings and build files. */

export const make = [
  line('function', `define[ \\t]+([\\w.%-]+)`),
  line('variable', `(?:export[ \\t]+|override[ \\t]+)?([\\w.-]+)[ \\t]*[:?+!]{0,2}=`, { where: 'top' }),
  line('target', `([\\w./%$(){}-]+)(?:[ \\t]+[\\w./%$(){}-]+)*[ \\t]*::?(?!=)`, {
    where: 'top',
    except: /^\.(?:PHONY|SUFFIXES|DEFAULT|PRECIOUS|SILENT|NOTPARALLEL|ONESHELL|SECONDARY|DELETE_ON_ERROR)$/,
  }),
];

export const just = [
  line('target', `@?([\\w-]+)(?:[ \\t]+[^:=]*)?:(?!=)`, { where: 'top' }),
  line('variable', `(?:export[ \\t]+)?([\\w-]+)[ \\t]*:=`, { where: 'top' }),
];

export const cmake = [
  line('function', `(?:function|macro)[ \\t]*\\([ \\t]*(\\w+)`, { flags: 'i' }),
  line(
    'target',
    `(?:add_library|add_executable|add_custom_target|add_test|project|qt_add_executable|ament_add_gtest)[ \\t]*\\([ \\t]*(?:NAME[ \\t]+)?([\\w.-]+)`,
    { flags: 'i' },
  ),
  line('variable', `(?:set|option)[ \\t]*\\([ \\t]*(\\w+)`, { flags: 'i' }),
  line('target', `\\w+\\([ \\t]*([\\w-]+)[ \\t]*$`, { flags: 'i' }),
];

export const docker = [
  line('stage', `from[ \\t]+\\S+[ \\t]+as[ \\t]+([\\w.-]+)`, { flags: 'i' }),
  line('variable', `(?:arg|env|label)[ \\t]+([\\w.-]+)`, { flags: 'i' }),
];

export const yaml = [
  line('key', `(?:-[ \\t]+)*["']?([\\w$@/.{}*\\x80-\\xff-][\\w$@/.{}* \\x80-\\xff-]{0,80}?)["']?[ \\t]*:(?:[ \\t]|$)`),
  line('label', `(?:-[ \\t]+)?[\\w-]+:[ \\t]+&([\\w-]+)`),
];

export const json = [line('key', `"([^"\\\\]{1,100})"[ \\t]*:`)];

export const toml = [
  line('section', `\\[\\[?[ \\t]*["']?([^\\]"'\\s][^\\]"']{0,99})["']?[ \\t]*\\]\\]?`),
  line('key', `["']?(${dashed})["']?(?:\\.[\\w.-]+)?[ \\t]*=`),
];

export const ini = [
  line(
    'section',
    `(?:upstream|location|server|zone|frontend|backend|listen|defaults|match|class)[ \\t]+([^{\\s]{1,100})[ \\t]*\\{?[ \\t]*$`,
  ),
  line('section', `\\[[ \\t]*([^\\]\\s][^\\]]{0,99})\\]`),
  line('key', `(?:export[ \\t]+)?([\\w.$-]+)[ \\t]*[=:]`),
  line('key', `([a-z][\\w-]*-[\\w-]+)[ \\t]+\\S`),
  line('key', `([a-z][\\w-]{2,})[ \\t]+(?:\\d\\S*|yes|no|on|off|true|false|"[^"]*")[ \\t]*;?$`),
];

export const hcl = [
  line('resource', `(?:resource|data)[ \\t]+"[^"]+"[ \\t]+"([^"]+)"`),
  line(
    'resource',
    `(?:variable|module|output|provider|backend|source|build|job|group|task|service|target|function)[ \\t]+"([^"]+)"`,
  ),
  line('key', `(${dashed})[ \\t]*=(?!=)`),
];

export const gradle = [
  line('target', `(?:tasks\\.(?:register|create|named)(?:<\\w+>)?\\([ \\t]*|task[ \\t]+\\(?)["']?(\\w+)`),
  line('target', `val[ \\t]+(\\w+)[ \\t]+by[ \\t]+(?:tasks|configurations)`),
  line('function', `(?:fun|def)[ \\t]+(?:\\w+[ \\t]+)?(\\w+)[ \\t]*\\(`),
  line('variable', `(?:val|var|def|ext\\.)[ \\t]*(\\w+)[ \\t]*=`),
  line('key', `(\\w+)[ \\t]*(?:=(?!=)|\\{[ \\t]*$|\\.set\\()`),
];

export const nix = [
  line('key', `([\\w.'-]+)[ \\t]*=(?!=)`),
  line('function', `([\\w'-]+)[ \\t]*=[ \\t]*(?:\\{[^}]*\\}|\\w+)[ \\t]*:`),
];

export const bazel = [line('target', `name[ \\t]*=[ \\t]*"([^"]+)"`), ...python];
