import assert from "node:assert/strict";
import type { DescMessage, DescService, Message } from "@bufbuild/protobuf";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import type { RpcService } from "../rpc/rpc-server.ts";
import { deadLetterHandlers } from "./dead-letters-rpc.ts";
import { createStatusReader, type StatusSources } from "./status.ts";

/** The handlers of an ops service by the local names of its methods. */
export type OpsHandlers = Readonly<
  Record<string, (request: never, context: HandlerContext) => Promise<Message>>
>;

/**
 * Implements an ops service: here the methods that every ops service has, `own` those of one
 * service alone. Throws for a method that neither implements.
 */
export function createOpsRpc<Schema extends DescMessage>(
  options: StatusSources &
    Parameters<typeof deadLetterHandlers<Schema>>[0] & {
      /** The ops service in the contract, such as `orders.ops.v1.OrdersOpsService`. */
      readonly contract: DescService;
      readonly own: OpsHandlers;
    },
): RpcService<DescService> {
  const { contract, own } = options;
  const readStatus = createStatusReader(options);
  const implementation: OpsHandlers = {
    getStatus: readStatus,
    ...deadLetterHandlers(options),
    ...own,
  };
  for (const { localName, name } of contract.methods) {
    assert(implementation[localName], `${contract.typeName}/${name} is not implemented`);
  }
  return { service: contract, implementation: implementation as ServiceImpl<DescService> };
}
