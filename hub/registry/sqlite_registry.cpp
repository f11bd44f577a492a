#include "hub/registry/sqlite_registry.hpp"

#include "common/base/error.hpp"
#include "hub/registry/registry_store.hpp"

#include <asio/async_result.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/post.hpp>
#include <asio/thread_pool.hpp>
#include <asio/use_awaitable.hpp>

#include <atomic>
#include <future>
#include <utility>

namespace device_streams::hub {

/// The thread, and the store that only this thread touches.
class SqliteRegistry::Worker {
 public:
    Worker(const std::string& file, Mode mode, Clock& clock) {
        std::promise<void> opened;
        auto open = opened.get_future();
        asio::post(thread_, [this, &file, mode, &clock, opened = std::move(opened)]() mutable {
            try {
                store_.emplace(file, mode, clock);
                certificate_users_ = store_->has_certificate_users();
                opened.set_value();
            } catch (...) {
                opened.set_exception(std::current_exception());
            }
        });
        open.get();
    }
    ~Worker() { thread_.join(); }

    /// Runs `work(store)` on the thread; the caller stays suspended on its own executor meanwhile and resumes there.
    /// A cancellation is noticed only afterwards, so a change is never left in doubt.
    template <typename Work>
    auto call(Work work) -> asio::awaitable<std::invoke_result_t<Work&, RegistryStore&>> {
        using Result = std::invoke_result_t<Work&, RegistryStore&>;
        auto start = [this, work = std::move(work)](auto handler) mutable {
            auto guard = asio::make_work_guard(handler);
            asio::post(thread_, [this, work = std::move(work), handler = std::move(handler),
                                 guard = std::move(guard)]() mutable {
                std::exception_ptr failure;
                Result result{};
                try {
                    result = work(*store_);
                } catch (...) {
                    failure = std::current_exception();
                }
                // The guard goes along: once the caller runs again, its io_context may be gone before this returns.
                const auto executor = guard.get_executor();
                asio::post(executor, [handler = std::move(handler), failure = std::move(failure),
                                      result = std::move(result), guard = std::move(guard)]() mutable {
                    std::move(handler)(std::move(failure), std::move(result));
                });
            });
        };
        return asio::async_initiate<const asio::use_awaitable_t<>, void(std::exception_ptr, Result)>(
            std::move(start), asio::use_awaitable);
    }

    /// The same for what changes identities.
    template <typename Work>
    auto change(Work work) {
        return call([this, work = std::move(work)](RegistryStore& store) mutable {
            auto result = work(store);
            certificate_users_ = store.has_certificate_users();
            store.refill_reserve();
            return result;
        });
    }

    bool has_certificate_users() const { return certificate_users_; }

 private:
    asio::thread_pool thread_{1};
    std::atomic<bool> certificate_users_ = false;
    std::optional<RegistryStore> store_;
};

SqliteRegistry::SqliteRegistry(const std::string& file, Mode mode, Clock& clock, OnRevoked on_revoked)
    : worker_(std::make_unique<Worker>(file, mode, clock)), on_revoked_(std::move(on_revoked)) {
}

SqliteRegistry::~SqliteRegistry() = default;

bool SqliteRegistry::has_certificate_users() const {
    return worker_->has_certificate_users();
}

asio::awaitable<std::optional<Identity>> SqliteRegistry::find(iothub::Target target) {
    return worker_->call([target = std::move(target)](RegistryStore& store) { return store.find(target); });
}

asio::awaitable<std::vector<Identity>> SqliteRegistry::list() {
    return worker_->call([](RegistryStore& store) { return store.list(); });
}

asio::awaitable<std::vector<Identity>> SqliteRegistry::list_devices(std::size_t most) {
    return worker_->call([most](RegistryStore& store) { return store.list_devices(most); });
}

asio::awaitable<std::vector<Identity>> SqliteRegistry::list_modules(std::string device_id) {
    return worker_->call(
        [device_id = std::move(device_id)](RegistryStore& store) { return store.list_modules(device_id); });
}

asio::awaitable<std::vector<iothub::Target>> SqliteRegistry::find_spelt_alike(iothub::Target target) {
    return worker_->call([target = std::move(target)](RegistryStore& store) { return store.find_spelt_alike(target); });
}

asio::awaitable<Identity> SqliteRegistry::add(iothub::Target target, Authentication authentication) {
    return create(std::move(target), {.authentication = std::move(authentication)});
}

asio::awaitable<Identity> SqliteRegistry::create(iothub::Target target, IdentityDescription description) {
    return worker_->change([target = std::move(target), description = std::move(description)](RegistryStore& store) {
        return store.create(target, description);
    });
}

asio::awaitable<Identity> SqliteRegistry::replace(iothub::Target target, IdentityDescription description,
                                                  std::string etag) {
    auto work = [target = std::move(target), description = std::move(description),
                 etag = std::move(etag)](RegistryStore& store) {
        return store.revoking([&] { return store.replace(target, description, etag); });
    };
    auto changed = co_await worker_->change(std::move(work));
    if (changed.enabled)
        on_revoked_({changed.target, changed.authentication});
    else
        on_revoked_(changed.target);
    co_return changed;
}

asio::awaitable<void> SqliteRegistry::remove(iothub::Target target) {
    return remove_version(std::move(target), {});
}

asio::awaitable<void> SqliteRegistry::remove_version(iothub::Target target, std::string etag) {
    auto work = [target = std::move(target), etag = std::move(etag)](RegistryStore& store) {
        return store.revoking([&] { return store.remove(target, etag); });
    };
    const auto on_lost = co_await worker_->change(std::move(work));
    for (const auto& identity : on_lost) on_revoked_(identity);
}

asio::awaitable<void> SqliteRegistry::set_enabled(iothub::Target target, bool enabled) {
    auto work = [target = std::move(target), enabled](RegistryStore& store) {
        return store.revoking([&] { return store.set_enabled(target, enabled); });
    };
    const auto touched = co_await worker_->change(std::move(work));
    if (enabled) co_return;
    for (const auto& identity : touched) on_revoked_(identity);
}

asio::awaitable<Identity> SqliteRegistry::set_authentication(iothub::Target target, Authentication authentication) {
    auto work = [target = std::move(target), authentication = std::move(authentication)](RegistryStore& store) {
        return store.revoking([&] { return store.set_authentication(target, authentication); });
    };
    auto changed = co_await worker_->change(std::move(work));
    on_revoked_({changed.target, changed.authentication});
    co_return changed;
}

asio::awaitable<Identity> SqliteRegistry::renew_key(iothub::Target target, WhichKey which) {
    auto work = [target = std::move(target), which](RegistryStore& store) {
        return store.revoking([&] { return store.renew_key(target, which); });
    };
    auto changed = co_await worker_->change(std::move(work));
    on_revoked_({changed.target, changed.authentication});
    co_return changed;
}

asio::awaitable<std::optional<Policy>> SqliteRegistry::find_policy(std::string name) {
    return worker_->call([name = std::move(name)](RegistryStore& store) { return store.policies().find(name); });
}

asio::awaitable<std::optional<Policy>> SqliteRegistry::find_policy_keys(std::string name) {
    return worker_->call([name = std::move(name)](RegistryStore& store) { return store.policies().find_keys(name); });
}

asio::awaitable<PolicyAndIdentity> SqliteRegistry::find_both(std::string policy, iothub::Target target) {
    return worker_->call([policy = std::move(policy), target = std::move(target)](RegistryStore& store) {
        return PolicyAndIdentity{store.policies().find_keys(policy), store.find(target)};
    });
}

asio::awaitable<std::vector<Policy>> SqliteRegistry::list_policies() {
    return worker_->call([](RegistryStore& store) { return store.policies().list(); });
}

asio::awaitable<Policy> SqliteRegistry::add_policy(std::string name, Permissions permissions, KeyPair keys,
                                                   std::vector<AllowRule> rules) {
    return worker_->call([name = std::move(name), permissions, keys = std::move(keys), rules = std::move(rules)](
                             RegistryStore& store) { return store.policies().add(name, permissions, keys, rules); });
}

asio::awaitable<Policy> SqliteRegistry::allow(std::string policy, AllowRule rule) {
    return worker_->call([policy = std::move(policy), rule = std::move(rule)](RegistryStore& store) {
        return store.policies().allow(policy, rule);
    });
}

asio::awaitable<Policy> SqliteRegistry::disallow(std::string policy, std::string rule) {
    auto work = [policy = std::move(policy), rule = std::move(rule)](RegistryStore& store) {
        return store.revoking([&] { return store.policies().disallow(policy, rule); });
    };
    const auto change = co_await worker_->change(std::move(work));
    on_revoked_(Revocation(change));
    co_return *change.now;
}

asio::awaitable<void> SqliteRegistry::remove_policy(std::string name) {
    auto work = [name = std::move(name)](RegistryStore& store) {
        return store.revoking([&] { return store.policies().remove(name); });
    };
    const auto change = co_await worker_->change(std::move(work));
    on_revoked_(Revocation(change));
}

asio::awaitable<Policy> SqliteRegistry::renew_policy_key(std::string name, WhichKey which) {
    auto work = [name = std::move(name), which](RegistryStore& store) {
        return store.revoking([&] { return store.policies().renew_key(name, which); });
    };
    const auto change = co_await worker_->change(std::move(work));
    on_revoked_(Revocation(change));
    co_return *change.now;
}

}  // namespace device_streams::hub
