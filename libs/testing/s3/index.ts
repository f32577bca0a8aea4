export { S3Double } from './s3-double.js';
