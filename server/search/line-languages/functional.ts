import { id, line, notNames } from './pattern.js';

/* How lines define names in functional and numeric languages. */

export const julia = [
  line('function', `(?:@\\w+[ \\t]+)?(?:function|macro)[ \\t]+(?:\\w+\\.)?(${id}!?)`),
  line(
    'class',
    `(?:mutable[ \\t]+|abstract[ \\t]+type[ \\t]+|primitive[ \\t]+type[ \\t]+)?(?:struct|type)[ \\t]+(${id})`,
  ),
  line('module', `(?:bare)?module[ \\t]+(${id})`),
  line('function', `(${id}!?)\\([^)]*\\)(?:::[\\w{}]+)?[ \\t]*=(?!=)`, { where: 'top' }),
  line('constant', `(?:const[ \\t]+)?(${id})[ \\t]*=(?!=)`, { where: 'top' }),
];

export const rLang = [
  line('function', `['"\`]?([\\w.]+)['"\`]?[ \\t]*(?:<-|=)[ \\t]*function\\b`),
  line('class', `(?:setClass|setRefClass|R6Class)\\([ \\t]*['"](\\w+)`),
  line('function', `(?:setMethod|setGeneric)\\([ \\t]*['"](\\w+)`),
  line('variable', `([\\w.]+)[ \\t]*<-`, { where: 'top' }),
];

export const elixir = [
  line('module', `(?:defmodule|defprotocol)[ \\t]+([\\w.]+)`),
  line('function', `(?:def|defp|defmacro|defmacrop|defguard|defdelegate|defcallback)[ \\t]+(\\w+[?!]?)`),
  line('test', `(?:test|describe)[ \\t]+"([^"]{2,200})`),
  line('constant', `@(\\w+)[ \\t]+[^ \\t]`, {
    where: 'member',
    except: /^(?:doc|moduledoc|spec|type|impl|callback|behaviour)$/,
  }),
];

export const erlang = [
  line('module', `-module\\((\\w+)`),
  line('constant', `-define\\((\\w+)`),
  line('class', `-record\\((\\w+)`),
  line('function', `([a-z]\\w*)\\([^)]*\\).*->`, { where: 'top' }),
];

export const haskell = [
  line('module', `module[ \\t]+([\\w.]+)`),
  line('class', `(?:data|newtype|class|instance)[ \\t]+(?:[^=]*=>[ \\t]*)?([A-Z]\\w*)`),
  line('type', `type[ \\t]+(?:family[ \\t]+)?([A-Z]\\w*)`),
  line('function', `([a-z_][\\w']*)(?:[ \\t]*,[ \\t]*[\\w']+)*[ \\t]*::`),
  line('function', `([a-z_][\\w']*)[ \\t]+[^=|]*=(?![=>])`, { where: 'top', except: notNames }),
];

export const ml = [
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

export const lisp = [
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

export const matlab = [
  line('function', `function[ \\t]+(?:[^=]*=[ \\t]*)?([\\w.]+)`),
  line('class', `classdef[ \\t]+(?:\\([^)]*\\)[ \\t]*)?(\\w+)`),
];

export const prolog = [line('function', `([a-z]\\w*)\\(`, { where: 'top' })];
