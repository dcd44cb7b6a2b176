import { AssetStaging, type CfnResource, Stack } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as cxapi from 'aws-cdk-lib/cx-api';
import { Construct } from 'constructs';

/**
 * The folder of a bundle as the code of a function.
 *
 * CDK's own `Code.fromAsset` makes a bucket construct of it as well, and loads the facts about all regions for that: a
 * sixth of a second of every synthesis, for something that nobody asks.
 */
export class ShippedCode extends lambda.Code {
  public readonly isInline = false;

  private path?: string;

  constructor(private readonly folder: string) {
    super();
  }

  public bind(scope: Construct): lambda.CodeConfig {
    const stack = Stack.of(scope);
    const asset = new Construct(scope, 'Code');
    const staging = new AssetStaging(asset, 'Stage', { sourcePath: this.folder });
    this.path = staging.relativeStagedPath(stack);
    const { bucketName, objectKey } = stack.synthesizer.addFileAsset({
      packaging: staging.packaging,
      sourceHash: staging.assetHash,
      fileName: this.path,
      deployTime: true,
      displayName: asset.node.path,
    });
    return { s3Location: { bucketName, objectKey } };
  }

  /** For tools that look for the code beside the template, as CDK's own class does. */
  public bindToResource(resource: CfnResource): void {
    if (!resource.node.tryGetContext(cxapi.ASSET_RESOURCE_METADATA_ENABLED_CONTEXT)) return;
    resource.addMetadata(cxapi.ASSET_RESOURCE_METADATA_PATH_KEY, this.path);
    resource.addMetadata(cxapi.ASSET_RESOURCE_METADATA_PROPERTY_KEY, 'Code');
  }
}
