// Stands in the bundles for Azure's login and key vault libraries, four megabytes that the driver asks for and that
// nobody who logs in with a password reaches.
class NotHere {
  constructor() {
    throw new Error('logins by Microsoft Entra and keys in Azure Key Vault are not part of this tool');
  }
}

export {
  NotHere as ClientSecretCredential,
  NotHere as CryptographyClient,
  NotHere as DefaultAzureCredential,
  NotHere as KeyClient,
  NotHere as ManagedIdentityCredential,
  NotHere as UsernamePasswordCredential,
};
