/** The generated contracts are imported by area: `@parley/contracts/im/v1/im`. This entry holds what all areas share. */
export * from './gen/parley/common/v1/access_pb.ts';
export * from './gen/parley/common/v1/error_pb.ts';
