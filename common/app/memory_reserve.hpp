#pragma once

namespace device_streams {

/// Memory that is kept for the work under way when there is no more: much of what runs cannot bear that an allocation
/// fails. From now on the first failure gives the reserve up instead.
void keep_memory_reserve();
/// True while the reserve is given up and cannot be had again: who begins new work should not. Any thread; cheap
/// otherwise.
bool is_memory_short();

}  // namespace device_streams
