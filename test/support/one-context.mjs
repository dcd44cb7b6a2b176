// Jest gives each test file a vm context of its own, behind a proxy: every look at a global is a call there, which CDK and
// the report pay with a tenth to nine tenths of their time. Here tests run in Node's own context instead. What the files
// of one worker then share is put back after each: the environment's variables and the working folder.
import vm from 'node:vm';
import { TestEnvironment } from 'jest-environment-node';

const HERE = vm.createContext({});
const { compileFunction } = vm;
vm.compileFunction = (code, parameters, options) =>
  compileFunction(
    code,
    parameters,
    options?.parsingContext === HERE ? { ...options, parsingContext: undefined } : options,
  );

export default class OneContext extends TestEnvironment {
  constructor(config, context) {
    super(config, context);
    this.global = globalThis;
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
