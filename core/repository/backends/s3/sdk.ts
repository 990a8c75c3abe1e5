/** What is used of the vendor's library: a file of its own in the build, which is loaded when a repository is in such a store. */
export {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  GetObjectLockConfigurationCommand,
  GetObjectRetentionCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutObjectCommand,
  PutObjectRetentionCommand,
  S3Client,
  S3ServiceException,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
export { externalDataInterceptor, loadSharedConfigFiles } from '@smithy/core/config';
export { fromInstanceMetadata } from '@smithy/credential-provider-imds';
export { NodeHttpHandler } from '@smithy/node-http-handler';
