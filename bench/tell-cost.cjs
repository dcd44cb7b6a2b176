// Preloaded into a measured program: tells at its end how much processor time it took, its own threads included.
process.on('exit', () => {
  const { userCPUTime, systemCPUTime } = process.resourceUsage();
  process.stdout.write(`\nCPU ${(userCPUTime + systemCPUTime) / 1e6}\n`);
});
