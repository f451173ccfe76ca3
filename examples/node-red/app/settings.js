module.exports = {
  uiHost: process.env.HOST,
  uiPort: Number(process.env.PORT),
  userDir: process.env.STATE_DIRECTORY,
  flowFile: 'flows.json',
  credentialSecret: process.env.CREDENTIAL_SECRET,
  editorTheme: { tours: false, palette: { allowInstall: false } },
  telemetry: { enabled: false },
  logging: { console: { level: 'warn' } },
}
