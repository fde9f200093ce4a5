// A process that stands for an editor: it only waits.
setInterval(() => undefined, 1_000);
