import { describe, expect, it } from 'vitest';
import { outlineSource, outlineText } from '../../../server/repository/outline.js';
import { languageOf } from '../../../server/repository/languages.js';

/** Each definition in a line: `kind container.name first-last@name-line`. */
async function outline(path: string, text: string): Promise<string[]> {
  const file = { path, bytes: text.length, modified: 0, hash: '', lines: 0, language: languageOf(path) };
  const definitions = await outlineSource(file, text);
  return definitions.map(
    ({ kind, container, name, line, endLine, nameLine }) =>
      `${kind} ${container === undefined ? '' : `${container}.`}${name} ${line}-${endLine}@${nameLine}`,
  );
}

describe('the outline of', () => {
  it('TypeScript', async () => {
    const text = `/** Of the class. */
@Component({
  selector: 'x',
})
export class Engine<T> extends Base {
  private units = 0;

  /** Of the method. */
  @memoize()
  read(): void {
    const local = 1;
    function inner() {}
  }
  onDone = () => 1;
  abstract m(): void;
}

// Not of it.

export interface Plan {
  budget: number;
  run(): void;
}
export type Kind = 'a';
export enum Level { Low, High = 2 }
/**
 * Of the constant.
 */
export const limit = 1,
  twice = (n: number) => n * 2;
let state = 0;
export default async function* main() {}
namespace Inner {
  export const deep = 1;
}
declare function external(): void;
`;
    expect(await outline('a.ts', text)).toEqual([
      'class Engine 1-16@5',
      'field Engine.units 6-6@6',
      'method Engine.read 8-13@10',
      'function read.inner 12-12@12',
      'method Engine.onDone 14-14@14',
      'method Engine.m 15-15@15',
      'interface Plan 20-23@20',
      'field Plan.budget 21-21@21',
      'method Plan.run 22-22@22',
      'type Kind 24-24@24',
      'enum Level 25-25@25',
      'field Level.Low 25-25@25',
      'field Level.High 25-25@25',
      'constant limit 26-29@29',
      'function twice 30-30@30',
      'variable state 31-31@31',
      'function main 32-32@32',
      'module Inner 33-35@33',
      'constant Inner.deep 34-34@34',
      'function external 36-36@36',
    ]);
  });

  it('TSX', async () => {
    const text = `export const Button = ({ label }: Props) => <b>{label}</b>;\nfunction App() {\n  return <Button label="x" />;\n}\n`;
    expect(await outline('a.tsx', text)).toEqual(['function Button 1-1@1', 'function App 2-4@2']);
  });

  it('JavaScript', async () => {
    const text = `class A {
  #secret = 1;
  static go = function () {};
  get x() { return 1; }
}
module.exports.run = function () {};
const api = {
  load() {},
  save: async () => {},
};
var old = 1;
`;
    expect(await outline('a.mjs', text)).toEqual([
      'class A 1-5@1',
      'field A.#secret 2-2@2',
      'method A.go 3-3@3',
      'method A.x 4-4@4',
      'function run 6-6@6',
      'constant api 7-10@7',
      'method api.load 8-8@8',
      'method api.save 9-9@9',
      'variable old 11-11@11',
    ]);
  });

  it('Python', async () => {
    const text = `# Of the function.
@cache
@other(
    1,
)
async def load(path):
    def inner():
        pass
    local = 1

class Model(Base):
    """Doc."""
    size: int = 1

    @property
    def name(self):
        return 1

LIMIT = 3
state = {}
double = lambda x: x
if TYPE_CHECKING:
    Alias = int
type Pair[T] = tuple[T, T]
`;
    expect(await outline('a.py', text)).toEqual([
      'function load 1-9@6',
      'function load.inner 7-8@7',
      'class Model 11-17@11',
      'field Model.size 13-13@13',
      'method Model.name 15-17@16',
      'constant LIMIT 19-19@19',
      'variable state 20-20@20',
      'function double 21-21@21',
      'variable Alias 23-23@23',
      'type Pair 24-24@24',
    ]);
  });

  it('Rust', async () => {
    const text = `/// Of the struct.
#[derive(Debug)]
pub struct Cache<T> {
    units: Vec<T>,
}
impl<T> Evict for Cache<T> {
    /// Of the method.
    fn evict(&mut self) {}
    const SINKS: usize = 4;
}
pub trait Evict { fn evict(&mut self); }
enum Kind { Sink, Recent(u8) }
mod outside;
mod inside { pub fn f() {} }
static COUNT: u8 = 1;
type Alias = u8;
macro_rules! say { () => {} }
`;
    expect(await outline('a.rs', text)).toEqual([
      'class Cache 1-5@3',
      'field Cache.units 4-4@4',
      'method Cache.evict 7-8@8',
      'constant Cache.SINKS 9-9@9',
      'interface Evict 11-11@11',
      'method Evict.evict 11-11@11',
      'enum Kind 12-12@12',
      'field Kind.Sink 12-12@12',
      'field Kind.Recent 12-12@12',
      'module inside 14-14@14',
      'function inside.f 14-14@14',
      'variable COUNT 15-15@15',
      'type Alias 16-16@16',
      'function say 17-17@17',
    ]);
  });

  it('Go', async () => {
    const text = `package cache

// Evict drops units.
// It keeps the newest.
func (c *Cache[T]) Evict(n int) {}
func New() *Cache { x := 1; return nil }

type Cache struct {
	Units []int
	a, b  int
}
type Policy interface { Keep() bool }
type (
	// Of the alias.
	Alias = int
	Number float64
)
const (
	First = iota
	Second
)
var handler = func() {}
var (
	count, total int
)
`;
    expect(await outline('a.go', text)).toEqual([
      'method Cache.Evict 3-5@5',
      'function New 6-6@6',
      'class Cache 8-11@8',
      'field Cache.Units 9-9@9',
      'field Cache.a 10-10@10',
      'field Cache.b 10-10@10',
      'interface Policy 12-12@12',
      'method Policy.Keep 12-12@12',
      'type Alias 14-15@15',
      'type Number 16-16@16',
      'constant First 19-19@19',
      'constant Second 20-20@20',
      'function handler 22-22@22',
      'variable count 24-24@24',
      'variable total 24-24@24',
    ]);
  });

  it('Java', async () => {
    const text = `package a;
/** Of the class. */
@Service
public class Cache<T> {
  static final int LIMIT = 1;
  private int a, b;
  /** Of the constructor. */
  public Cache() {}
  @Override
  public void evict() { int local = 1; }
  enum Kind { SINK, RECENT }
  interface Policy { void keep(); }
  record Unit(int slot) { Unit {} }
  @interface Mark { int value(); }
}
`;
    expect(await outline('Cache.java', text)).toEqual([
      'class Cache 2-15@4',
      'field Cache.LIMIT 5-5@5',
      'field Cache.a 6-6@6',
      'field Cache.b 6-6@6',
      'method Cache.Cache 7-8@8',
      'method Cache.evict 9-10@10',
      'enum Cache.Kind 11-11@11',
      'field Kind.SINK 11-11@11',
      'field Kind.RECENT 11-11@11',
      'interface Cache.Policy 12-12@12',
      'method Policy.keep 12-12@12',
      'class Cache.Unit 13-13@13',
      'method Unit.Unit 13-13@13',
      'interface Cache.Mark 14-14@14',
      'method Mark.value 14-14@14',
    ]);
  });

  it('C', async () => {
    const text = `#define LIMIT 4
#define MAX(a, b) ((a) > (b) ? (a) : (b))
/* Of the struct. */
typedef struct {
  int units;
} cache_t;
struct node { struct node *next; };
enum kind { SINK, RECENT };
typedef int (*policy)(int);
static const int sinks = 4;
int count;
// Of the prototype.
void evict(cache_t *cache);
static char *name(void) {
  int local = 1;
  return 0;
}
`;
    expect(await outline('a.c', text)).toEqual([
      'constant LIMIT 1-1@1',
      'function MAX 2-2@2',
      'class cache_t 3-6@6',
      'field cache_t.units 5-5@5',
      'class node 7-7@7',
      'field node.next 7-7@7',
      'enum kind 8-8@8',
      'field kind.SINK 8-8@8',
      'field kind.RECENT 8-8@8',
      'type policy 9-9@9',
      'constant sinks 10-10@10',
      'variable count 11-11@11',
      'function evict 12-13@13',
      'function name 14-17@14',
    ]);
  });

  it('C++', async () => {
    const text = `namespace locret {
// Of the template.
template <typename T>
class Cache : public Base {
 public:
  Cache();
  ~Cache();
  virtual void evict(int n) = 0;
  T *at(int slot) const { return 0; }
  Cache &operator=(const Cache &);
  int units;
};
using Alias = int;
}
template <typename T>
void locret::Cache<T>::evict(int n) {
  int local(n);
}
enum class Kind { Sink };
auto twice = [](int n) { return n * 2; };
`;
    expect(await outline('a.cpp', text)).toEqual([
      'module locret 1-14@1',
      'class locret.Cache 2-12@4',
      'method Cache.Cache 6-6@6',
      'method Cache.~Cache 7-7@7',
      'method Cache.evict 8-8@8',
      'method Cache.at 9-9@9',
      'method Cache.operator= 10-10@10',
      'field Cache.units 11-11@11',
      'type locret.Alias 13-13@13',
      'method Cache.evict 15-18@16',
      'enum Kind 19-19@19',
      'field Kind.Sink 19-19@19',
      'function twice 20-20@20',
    ]);
  });

  it('C#', async () => {
    const text = `namespace Locret {
/// <summary>Of the class.</summary>
[Serializable]
public class Cache<T> {
  public int Units { get; set; }
  private int a, b;
  public Cache() {}
  public void Evict() { void Local() {} }
  public event Action Done;
}
interface IPolicy { void Keep(); }
struct Slot {}
record Unit(int Index);
enum Kind { Sink }
delegate int Score(int unit);
}
`;
    expect(await outline('a.cs', text)).toEqual([
      'module Locret 1-16@1',
      'class Locret.Cache 2-10@4',
      'field Cache.Units 5-5@5',
      'field Cache.a 6-6@6',
      'field Cache.b 6-6@6',
      'method Cache.Cache 7-7@7',
      'method Cache.Evict 8-8@8',
      'function Evict.Local 8-8@8',
      'field Cache.Done 9-9@9',
      'interface Locret.IPolicy 11-11@11',
      'method IPolicy.Keep 11-11@11',
      'class Locret.Slot 12-12@12',
      'class Locret.Unit 13-13@13',
      'enum Locret.Kind 14-14@14',
      'field Kind.Sink 14-14@14',
      'type Locret.Score 15-15@15',
    ]);
  });

  it('Ruby', async () => {
    const text = `# Of the module.
module Locret
  class Cache < Base
    LIMIT = 1
    attr_reader :units, :slots
    # Of the method.
    def evict(n)
    end

    def self.open; end
    class << self
      def close; end
    end
    define_method(:dynamic) { }
  end
  class A::B; end
end
Unit = Struct.new(:index)
twice = 1
def top; end
`;
    expect(await outline('a.rb', text)).toEqual([
      'module Locret 1-17@2',
      'class Locret.Cache 3-15@3',
      'constant Cache.LIMIT 4-4@4',
      'field Cache.units 5-5@5',
      'field Cache.slots 5-5@5',
      'method Cache.evict 6-8@7',
      'method Cache.open 10-10@10',
      'method Cache.close 12-12@12',
      'method Cache.dynamic 14-14@14',
      'class Locret.B 16-16@16',
      'class Unit 18-18@18',
      'function top 20-20@20',
    ]);
  });

  it('PHP', async () => {
    const text = `<html><?php
namespace Locret;
/** Of the class. */
#[Entity]
final class Cache extends Base {
    const LIMIT = 1;
    private array $units = [];
    public function __construct(private int $size) {}
    /** Of the method. */
    public static function evict() {}
}
interface Policy { function keep(); }
trait Scored {}
enum Kind: string { case Sink = 's'; }
function top() {}
const DEPTH = 1;
define('OTHER', 1);
$twice = fn ($n) => $n * 2;
`;
    expect(await outline('a.php', text)).toEqual([
      'class Cache 3-11@5',
      'constant Cache.LIMIT 6-6@6',
      'field Cache.units 7-7@7',
      'method Cache.__construct 8-8@8',
      'field __construct.size 8-8@8',
      'method Cache.evict 9-10@10',
      'interface Policy 12-12@12',
      'method Policy.keep 12-12@12',
      'class Scored 13-13@13',
      'enum Kind 14-14@14',
      'field Kind.Sink 14-14@14',
      'function top 15-15@15',
      'constant DEPTH 16-16@16',
      'constant OTHER 17-17@17',
      'function twice 18-18@18',
    ]);
  });

  it('shell', async () => {
    const text = `#!/bin/bash
# Of the function.
poll_gauge() {
  local tries=1
}

function reset { :; }
readonly MAX_TRIES=3
export station=hoek
`;
    expect(await outline('a.sh', text)).toEqual([
      'function poll_gauge 2-5@3',
      'function reset 7-7@7',
      'constant MAX_TRIES 8-8@8',
      'variable station 9-9@9',
    ]);
  });

  it('PowerShell', async () => {
    const text = `# Of the function.
function Get-Level {
  param($Station)
}
class Gauge {
  [void] Reset() { }
}
enum State { Fine; Silent }
`;
    expect(await outline('a.ps1', text)).toEqual([
      'function Get-Level 1-4@2',
      'class Gauge 5-7@5',
      'method Gauge.Reset 6-6@6',
      'enum State 8-8@8',
    ]);
  });
});

describe('an outline', () => {
  it('says why there is none', async () => {
    expect(await outlineText({ path: 'a.txt' }, 'text')).toEqual({ definitions: [], problem: 'no-grammar' });
    expect(await outlineText({ path: 'a.py' }, '#'.repeat((2 << 20) + 1))).toEqual({
      definitions: [],
      problem: 'too-long',
    });
    expect((await outlineText({ path: 'a.py' }, 'def f(): pass')).problem).toBeUndefined();
  });

  it('is empty for files without a grammar', async () => {
    expect(await outline('README.md', '# Title\n')).toEqual([]);
    expect(await outline('a.txt', 'function a() {}')).toEqual([]);
  });

  it('holds what can be told of a text with errors', async () => {
    expect(await outline('a.ts', 'function whole() {}\nclass { ]]] \nfunction also() {}\n')).toEqual(
      expect.arrayContaining(['function whole 1-1@1', 'function also 3-3@3']),
    );
  });

  it('counts lines that end in CRLF, and takes names as they are', async () => {
    expect(await outline('a.py', '# über\r\ndef größe():\r\n    pass\r\n')).toEqual(['function größe 1-3@2']);
  });

  it('does not take a comment that ends another line, nor one behind a blank line', async () => {
    const text = 'const a = 1; // of a\nfunction b() {}\n/* apart */\n\nfunction c() {}\n';
    expect(await outline('a.js', text)).toEqual(['constant a 1-1@1', 'function b 2-2@2', 'function c 5-5@5']);
  });

  it.each([
    ['brackets that are never closed', 'a.ts', '('.repeat(100_000)],
    ['deep nesting', 'a.js', '['.repeat(100_000) + ']'.repeat(100_000)],
    ['nested classes', 'A.java', 'class A{'.repeat(20_000) + '}'.repeat(20_000)],
    ['a text that asks the parser for more memory than there is', 'B.java', 'a<'.repeat(20_000)],
    ['lone surrogates and NULs', 'a.rb', '\ud800\u0000'.repeat(1000)],
  ])('survives %s, and the next one is whole', async (_, path, text) => {
    await outline(path, text);
    expect(await outline(path.replace('B.', 'A.'), '')).toEqual([]);
    expect(await outline('A.java', 'class After { void all() {} }')).toEqual([
      'class After 1-1@1',
      'method After.all 1-1@1',
    ]);
  });
});
