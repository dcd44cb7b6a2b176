import { type CfnElement, Stack } from 'aws-cdk-lib';

/** A stack that works out the logical ID of a resource once, and not at each of the hundreds of references to it. */
export class EstateStack extends Stack {
  private readonly ids = new Map<CfnElement, string>();

  protected override allocateLogicalId(element: CfnElement): string {
    const known = this.ids.get(element);
    if (known !== undefined) return known;
    const id = super.allocateLogicalId(element);
    this.ids.set(element, id);
    return id;
  }
}
