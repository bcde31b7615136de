process.stdout.write('v1.7.6\n');
