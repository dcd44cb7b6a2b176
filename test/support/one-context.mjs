// Jest gives each test file a vm context of its own, behind a proxy: every look at a global is a call there, which CDK and
// the report pay with a tenth to nine tenths of their time. Here tests run in Node's own context instead. What the files
// of one worker then share is put back after each: the environment's variables and the working folder.
import { createRequire } from 'node:module';
import vm from 'node:vm';
import { TestEnvironment } from 'jest-environment-node';

const HERE = vm.createContext({});
const { compileFunction } = vm;
/** Modules of others, which are the same for every test file: compiled once, their hot parts stay compiled. */
const compiled = new Map();
vm.compileFunction = (code, parameters, options) => {
  if (options?.parsingContext !== HERE) return compileFunction(code, parameters, options);
  const { filename } = options;
  const known = compiled.get(filename);
  if (known?.code === code && known.parameters === parameters.join()) return known.made;
  const made = compileFunction(code, parameters, { ...options, parsingContext: undefined });
  if (filename.includes('/node_modules/'))
    compiled.set(filename, { code, parameters: parameters.join(), made });
  return made;
};

const require = createRequire(import.meta.url);

/** See shared-modules.cjs. */
function shared(name) {
  const module = require(name);
  if (name === 'aws-cdk-lib') keepEngine(module.CloudFormationValidatePlugin.prototype);
  return module;
}

/**
 * CDK's validation engine takes half a second to set up, and is set up anew when a template has a type of resource that
 * the last one had not: here it keeps those it knows.
 */
function keepEngine(plugin) {
  if (Object.hasOwn(plugin, 'initializeAnew')) return;
  plugin.initializeAnew = plugin.initializeEngine;
  plugin.initializeEngine = function (types) {
    return this.initializeAnew(types.union(this.engineResourceTypes ?? new Set()));
  };
}

export default class OneContext extends TestEnvironment {
  constructor(config, context) {
    super(config, context);
    this.global = globalThis;
    this.global[Symbol.for('modules that test files share')] = shared;
    this.variables = { ...process.env };
    this.folder = process.cwd();
  }

  getVmContext() {
    return HERE;
  }

  async teardown() {
    for (const name of Object.keys(process.env)) if (!(name in this.variables)) delete process.env[name];
    Object.assign(process.env, this.variables);
    process.chdir(this.folder);
    await super.teardown();
  }
}
