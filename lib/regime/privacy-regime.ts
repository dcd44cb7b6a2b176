/** PLACEHOLDER */
export class PrivacyRegime {
  private constructor(public readonly id: string) {}
}
